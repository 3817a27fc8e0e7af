# Emergencies and flowtables: what a flowtable of somebody else's carries meets no chain of `forward`, so a quarantine would not be
# met by connections that stand. It lets go of what connection tracking forgets; the next packet meets all chains again.

# Whether this host forwards on any interface, or cannot say so: what it does not forward no flowtable carries.
may_forward() {
    forward_read=
    for forward_switch in /proc/sys/net/ipv4/conf/*/forwarding /proc/sys/net/ipv6/conf/*/forwarding; do
        if [ ! -r "$forward_switch" ]; then continue; fi
        forward_read=1
        read -r forward_value <"$forward_switch"
        if [ "$forward_value" != 0 ]; then return 0; fi
    done
    [ -z "$forward_read" ]
}

# Whether anybody has a flowtable here.
has_flowtables() {
    if ! have nft || ! may_forward; then return 1; fi
    case $(nft list flowtables 2>/dev/null) in *flowtable*) ;; *) return 1 ;; esac
}

# cut_addresses LINES: the addresses and networks that quarantines among them cut off; all where this host itself is isolated.
cut_addresses() {
    printf '%s\n' "$1" | awk '
        $1 == "emergency" { cuts = $3 == "quarantine" }
        !cuts { next }
        $1 == "element" && $2 == "isolated" && $3 == "all" { print "0.0.0.0/0"; print "::/0" }
        $1 == "element" && ($2 == "quarantined" || $2 == "container") {
            for (i = 3; i <= NF; i++) if ($i ~ /^[0-9a-f.:\/]+$/ && $i ~ /[.:]/) print $i
        }'
}

# forget_offloaded LINES: ends what flowtables carry of those that quarantines cut off. Fails where this host cannot.
forget_offloaded() {
    if ! emergency_cuts "$1" || ! has_flowtables; then return 0; fi
    if find_python "python3 /usr/libexec/platform-python"; then
        cut_addresses "$1" | tracked_python forget_addresses
    elif have conntrack; then
        cut_addresses "$1" | forget_addresses
    else
        return 1
    fi
}

# Replies where what a flowtable carries goes on.
warn_of_offloaded() {
    if forget_offloaded "$1"; then return 0; fi
    reply warning 'a flowtable carries connections past every table, and without conntrack or python3 those that stand go on'
}
