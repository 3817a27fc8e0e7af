# Kernel: what it has of ours, and the connections that a table is loaded with, for every enforcer alike.

# Firewalls that flush the tables of iptables, with all that others have there, when they start, reload and stop.
# shellcheck disable=SC2034 # for the enforcer's own part, and for emergencies
iptables_wipers='firewalld.service shorewall.service shorewall6.service ferm.service firehol.service'

# Reads what the kernel has of ours: kernel is `absent`, `present`, or `unknown` where that could not be read, or not to its
# end, which is not the same as nothing; kernel_table is the first digits of the digest of the table that stands whole.
read_kernel() {
    kernel=unknown kernel_table=
    kernel_read=$(kernel_words | awk -v mark="$whole_mark" "$kernel_program"'
        { ended = $0 == mark }
        END { if (ended) { has = told(); print (has == "" ? "absent" : has) } }') || return 1
    if [ -n "$kernel_read" ]; then kernel=${kernel_read%% *}; fi
    case $kernel_read in *' '*) kernel_table=${kernel_read#* } ;; esac
    [ "$kernel" != unknown ]
}

# sockets_of FILE: writes the connections that stand, for a table that is loaded without a controller. Where they cannot be
# told, the file is emptied: it is that of an earlier load, or holds a part of them, and what has ended since would let
# pass whoever sends from the same address and port.
sockets_of() {
    { socket_text >"$1" || true >"$1"; } 2>/dev/null
    if [ -n "$track_until" ]; then { flow_text >>"$1"; } 2>/dev/null; fi
}

# tracking_full ROOT: prints a sentence where connection tracking has less than a tenth of its entries left. ROOT is / but in
# tests.
tracking_full() {
    tracking_file=${1}proc/sys/net/netfilter/nf_conntrack_
    if [ ! -r "${tracking_file}count" ] || [ ! -r "${tracking_file}max" ]; then return 0; fi
    # what shells read byte by byte is only the first digit of such a number
    tracking_both=$(cat "${tracking_file}count" "${tracking_file}max" 2>/dev/null)
    tracking_count=${tracking_both%%"
"*}
    tracking_most=${tracking_both#*"
"}
    for tracking_value in "$tracking_count" "$tracking_most"; do
        case $tracking_value in '' | *[!0-9]* | ???????????*) return 0 ;; esac
    done
    # 0 is no limit
    if [ "$tracking_most" -gt 0 ] && [ "$tracking_count" -ge "$((tracking_most - tracking_most / 10))" ]; then
        echo "connection tracking has $tracking_count of $tracking_most entries: when it is full, new connections are dropped before every table, also those of ssh (net.netfilter.nf_conntrack_max)"
    fi
}

# warn_of_tracking: says so in the reply of an order.
warn_of_tracking() {
    tracking_said=$(tracking_full /)
    if [ -n "$tracking_said" ]; then reply warning "$tracking_said"; fi
}
