# Status: everything that info and verify need, read in one go and without changing anything.

verb_status() {
    check_state
    check_processes "$rf_processes" || refuse input "the processes of this plan are not valid"
    if [ -n "$rf_processes$rf_sockets$rf_listing" ]; then open_work; fi
    if other_tool; then
        reply holder "$tool"
        reply unknown "this host holds a table of $tool, not of $filter_tool"
    fi
    status_kernel
    status_confirmed
    status_pending
    status_abilities
    if [ -n "$confirmed_processes" ]; then status_units_now; fi
    if has_containers "$confirmed_processes"; then status_containers_now; fi
    if [ "$kernel" = present ] && [ -n "$rf_listing" ]; then status_listing; fi
    if [ -n "$confirmed_processes" ]; then status_units; fi
    if has_containers "$confirmed_processes"; then status_containers; fi
    status_bridged
    if [ -n "$rf_sockets" ]; then
        {
            socket_text
            flow_text
        } | reply_section sockets
    fi
    if [ -n "$rf_processes" ]; then socket_owners | reply_section owners; fi
    tell_emergency
    if [ -n "$rf_listing" ]; then
        status_beside >"$work/told"
        {
            status_foreign
            status_forwarding "/"
            tracking_full /
            beside_saved /
            status_around
        } | reply_section foreign
        reply_section beside <"$work/told"
    fi
    if [ -r "$state/history" ]; then tail -n 50 "$state/history" | reply_section history; fi
}

# status_forwarding ROOT: that this host forwards for others, between which networks, and what its bridges carry. ROOT is
# / but in tests.
status_forwarding() {
    forwarding_on='' forwarding_by='judged by the tables of containers alone'
    if have nft && nft list chain inet ringfence forwarded_in >/dev/null 2>&1; then
        forwarding_by='judged for the addresses of the plan alone'
        # switched on, so its bridges carry nothing past it
        if [ "$(bridged_values)" = '1 1' ]; then forwarding_by="$forwarding_by, on bridges too"; fi
    fi
    for forwarding_switch in proc/sys/net/ipv4/ip_forward proc/sys/net/ipv6/conf/all/forwarding; do
        case $(cat "$1$forwarding_switch" 2>/dev/null) in
        '' | 0) ;;
        *)
            echo "/$forwarding_switch: this host forwards"
            forwarding_on=1
            ;;
        esac
    done
    if [ -n "$forwarding_on" ]; then
        {
            ip -4 route show
            ip -6 route show
        } 2>/dev/null | awk -v by="$forwarding_by" '
            / via / || $1 !~ /[.:]/ || $1 ~ /^(fe80:|ff|169\.254\.)/ || $2 != "dev" || $3 == "lo" { next }
            !told[$1, $3]++ { if (!known[$3]++) links++; found[++n] = $1 " (" $3 ")" }
            END {
                if (links < 2) exit
                for (i = 1; i <= n && i <= 4; i++) line = line (i > 1 ? ", " : "") found[i]
                print "forwarded, " by ": between " line (n > 4 ? " and " n - 4 " more" : "")
            }'
    fi
    forwarding_past='forwarded past every table'
    case $forwarding_by in
    *' on bridges too')
        # what the kernel does not show our chains of a bridge that they judge
        if [ "$(cat "$1proc/sys/net/bridge/bridge-nf-filter-vlan-tagged" 2>/dev/null)" != 0 ]; then return 0; fi
        forwarding_past="$forwarding_past with a VLAN tag (net.bridge.bridge-nf-filter-vlan-tagged is 0)"
        ;;
    esac
    # a bridge forwards without a switch; what containers of the plan send each other is told by itself
    forwarding_held=0
    if has_containers "$confirmed_processes"; then forwarding_held=1; fi
    for forwarding_bridge in "$1"sys/class/net/*/brif; do
        forwarding_name=${forwarding_bridge%/brif}
        for forwarding_port in "$forwarding_bridge"/*; do echo "${forwarding_port##*/}"; done | awk \
            -v name="${forwarding_name##*/}" -v held="$forwarding_held" -v past="$forwarding_past" '
            $0 != "*" { found[++n] = $0 }
            $0 !~ /^veth/ { others = 1 }
            END {
                if (n < 2 || (held && !others)) exit
                for (i = 1; i <= n && i <= 4; i++) line = line (i > 1 ? ", " : "") found[i]
                print "bridge " name ": " past ": between " line (n > 4 ? " and " n - 4 " more" : "")
            }'
    done
}

# What the kernel has is told beside what the files say: `in_kernel` is the beginning of the digest of the verdict table that
# stands there, whatever was confirmed.
status_kernel() {
    read_kernel
    reply table "$kernel"
    if [ -n "$kernel_table" ]; then reply in_kernel "$kernel_table"; fi
    if [ "$kernel" = unknown ]; then reply unknown "$filter_tool cannot read the kernel"; fi
}

status_confirmed() {
    check_confirmed
    if [ -n "$confirmed_damaged" ]; then reply damaged "$confirmed_damaged"; fi
    if [ -z "$confirmed_format" ]; then return 0; fi
    reply sequence "$confirmed_sequence"
    reply plan "$confirmed_plan"
    reply ruleset "$confirmed_ruleset"
    reply verdict_table "$confirmed_table"
    reply applied "$confirmed_applied"
    if has_in_kernel "$confirmed_table"; then reply stands confirmed; fi
    if [ -z "$confirmed_processes" ]; then return 0; fi
    while read -r status_kind status_who status_map status_goto status_chain; do
        if [ "$status_kind" != user ]; then continue; fi
        if status_uid=$(id -u -- "$status_who" 2>/dev/null); then
            reply user "$status_who $status_map $status_chain $status_uid"
        else
            reply no_user "$status_who"
        fi
    done <<LINES
$confirmed_processes
LINES
}

# Reads, before the kernel is listed, the cgroup that the map must hold for each unit: `NAME MAP CHAIN PATH SOCKET-UNIT`. A
# unit that is on its way, as many are right after a boot, has two seconds to arrive.
status_units_now() {
    status_tries=0 status_unread=
    while :; do
        status_elements=$(unit_elements "$confirmed_processes") || { status_unread=1 && return 0; }
        status_moments=$(unit_moments "$status_elements")
        case $status_moments in *' changing'*) ;; *) return 0 ;; esac
        status_tries=$((status_tries + 1))
        if [ "$status_tries" -ge 10 ]; then return 0; fi
        sleep 0.2 2>/dev/null || sleep 1
    done
}

# Replies what ran of the units while the kernel was listed. What a unit's start and end put into the map and take out of
# it need not be there for one that is on its way, or was at another moment before the listing than behind it.
status_units() {
    if [ -n "$status_unread" ]; then
        reply unknown 'systemd does not answer, so nothing is known of the units of the policy'
        return 0
    fi
    status_moved=$(printf '%s\n\n%s' "$status_moments" "$(unit_moments "$status_elements")" | awk '
        $0 == "" { behind = 1; next }
        !behind { moment[$1] = $0; next }
        moment[$1] != $0 || $2 == "changing" { print $1 }')
    while read -r status_who status_map status_chain status_path status_socket; do
        if [ -z "$status_who" ]; then continue; fi
        case "
$status_moved
" in
        *"
${status_socket:-$status_who}
"*) status_runs=changing ;;
        *) if [ -d "/sys/fs/cgroup/$status_path" ]; then status_runs=runs; else status_runs=stopped; fi ;;
        esac
        reply unit "$status_runs $status_who $status_map $status_chain $status_path"
    done <<ELEMENTS
$status_elements
ELEMENTS
    for status_who in $(units_without "$confirmed_processes" "$status_elements"); do reply no_unit "$status_who"; done
}

# `armed`: a way back will come, or is tried again; `abandoned`: it is gone, and the next command that changes anything
# ends the wait.
status_pending() {
    if ! read_wait; then
        if find_other; then reply damaged 'a move from one enforcer to another was cut short: the next apply to this host ends it'; fi
        case $kernel in
        present)
            if ! has_in_kernel "$confirmed_table" && [ -z "$confirmed_format" ]; then
                reply unknown "the kernel has a table of ours (${kernel_table:-without a plan}), and no state tells of it"
            elif ! has_in_kernel "$confirmed_table"; then
                reply unknown "the kernel has another table of ours (${kernel_table:-without a plan}) than the one that was confirmed"
            fi
            ;;
        esac
        return 0
    fi
    read_boot
    reply pending_plan "$candidate_plan"
    reply pending_ruleset "$candidate_ruleset"
    reply pending_deadline "${pending_deadline:-0}"
    if has_in_kernel "$candidate_table"; then reply stands candidate; fi
    if [ "$pending_boot" = "$boot_id" ] && armed; then reply pending armed; else reply pending abandoned; fi
}

# What this host can do, for the plan: what the enforcer reads its facts from.
status_abilities() {
    status_tools
    reply kernel "$(uname -r)"
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then reply cgroup2 yes; else reply cgroup2 no; fi
    # where Ansible comes from; any port, since no plan says one yet
    if find_connection "${rf_port:-22}"; then reply peer "$connection_peer"; fi
    if systemd_runs; then
        reply persistence systemd
        if [ -n "$confirmed_format" ]; then
            tell_persistence "$confirmed_processes"
        elif [ -e "$boot_unit" ] && [ ! -e "$state/confirmed.nft" ]; then
            reply damaged "$state/confirmed.nft is gone"
        fi
        if has_names "$confirmed_processes" && ! systemctl is-active --quiet "${answer_timer##*/}"; then
            reply damaged "the timer that looks names up again does not run"
        fi
    else
        reply persistence none
    fi
}
