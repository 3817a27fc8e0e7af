# Status: everything that info and verify need, read in one go and without changing anything.

verb_status() {
    check_state
    check_processes "$rf_processes" || refuse input "the processes of this plan are not well formed"
    if [ -d "$state" ]; then
        open_work
    elif [ -n "$rf_processes" ]; then
        work=$(mktemp -d) || refuse state "cannot make a temporary directory"
    fi
    status_confirmed
    status_pending
    status_abilities
    if any_stands; then
        reply table present
        if [ -n "$rf_listing" ]; then nft -nn -y list table inet ringfence 2>&1 | reply_section listing; fi
    else
        reply table absent
    fi
    if [ -n "$rf_sockets" ]; then
        {
            socket_text
            flow_text
        } | reply_section sockets
    fi
    if [ -n "$rf_processes" ]; then socket_owners | reply_section owners; fi
    if [ -n "$rf_listing" ]; then status_foreign | reply_section foreign; fi
    if [ -r "$state/history" ]; then tail -n 50 "$state/history" | reply_section history; fi
}

status_confirmed() {
    read_confirmed
    if [ -z "$confirmed_format" ]; then return 0; fi
    reply sequence "$confirmed_sequence"
    reply plan "$confirmed_plan"
    reply ruleset "$confirmed_ruleset"
    reply verdict_table "$confirmed_table"
    reply applied "$confirmed_applied"
    if stands "$confirmed_table"; then reply stands confirmed; fi
    status_digest=$(sed '/^#ringfence /d' "$state/confirmed.nft" | sha256sum)
    if [ "${status_digest%% *}" != "$confirmed_ruleset" ]; then reply damaged "$state/confirmed.nft is not the ruleset that was confirmed"; fi
    if [ -z "$confirmed_processes" ]; then return 0; fi
    # what runs now, with the cgroup that the map must hold: `NAME MAP CHAIN PATH SOCKET-UNIT`
    unit_elements "$confirmed_processes" >"$work/elements"
    while read -r status_who status_map status_chain status_path status_socket; do
        if [ -d "/sys/fs/cgroup/$status_path" ]; then status_runs=runs; else status_runs=stopped; fi
        reply unit "$status_runs $status_who $status_map $status_chain $status_path"
        if systemd_runs && [ ! -e "$units/${status_socket:-$status_who}.d/$dropin" ]; then
            reply damaged "the drop-in of ${status_socket:-$status_who} is gone"
        fi
    done <"$work/elements"
    printf '%s' "$confirmed_processes" | while read -r status_kind status_who status_map status_goto status_chain; do
        if [ "$status_kind" = user ] && status_uid=$(id -u -- "$status_who" 2>/dev/null); then
            reply user "$status_who $status_map $status_chain $status_uid"
        fi
    done
}

status_pending() {
    if ! read_pending; then return 0; fi
    read_boot
    reply pending_plan "$candidate_plan"
    reply pending_ruleset "$candidate_ruleset"
    reply pending_deadline "$pending_deadline"
    if stands "$candidate_table"; then reply stands candidate; fi
    if [ "$pending_boot" = "$boot_id" ] && armed; then reply pending armed; else reply pending abandoned; fi
}

# What this host can do, for the plan: `features` of the nftables enforcer.
status_abilities() {
    reply nft "$(nft --version | sed -n 's/.* v\([0-9.]*\).*/\1/p')"
    reply kernel "$(uname -r)"
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then reply cgroup2 yes; else reply cgroup2 no; fi
    if status_socket_cgroup; then reply socket_cgroup yes; else reply socket_cgroup no; fi
    # where Ansible comes from; any port, since no plan says one yet
    if find_connection "${rf_port:-22}"; then reply peer "$connection_peer"; fi
    if systemd_runs; then
        reply persistence systemd
        if [ -n "$confirmed_format" ] && [ ! -e "$boot_unit" ]; then reply damaged "the boot unit is gone"; fi
        if has_names "$confirmed_processes" && ! systemctl is-active --quiet "${answer_timer##*/}"; then
            reply damaged "the timer that looks names up again does not run"
        fi
    else
        reply persistence none
    fi
}

# Tried, not guessed: neither nft's version nor the kernel's tells it for distributions that backport.
status_socket_cgroup() {
    nft -c -f - >/dev/null 2>&1 <<'RULES'
table inet ringfence_probe {
	map probe { type cgroupsv2 : verdict; }
	chain input { type filter hook input priority 0; policy accept; socket cgroupv2 level 1 vmap @probe; }
}
RULES
}

# What other tables do that a table of ours cannot see behind: they are named, not judged.
status_foreign() {
    nft -t list ruleset 2>/dev/null | awk '
        $1 == "table" { table = $2 " " $3; ours = $2 == "inet" && $3 == "ringfence"; next }
        ours { next }
        $1 == "flowtable" { print table ": flowtable" }
        $1 == "type" && $2 == "nat" { nat[table] = 1 }
        $1 == "type" && $4 == "forward" { print table ": forward chain" }
        $1 == "type" && $2 == "filter" && $4 == "ingress" { print table ": netdev ingress chain" }
        / tproxy / { print table ": tproxy" }
        nat[table] && /(redirect|dnat|snat|masquerade)/ && !told[table]++ { print table ": NAT" }'
    if [ -s /proc/net/ip_tables_names ]; then
        while read -r foreign_table; do echo "iptables (legacy) $foreign_table: present"; done </proc/net/ip_tables_names
    fi
    for foreign_switch in /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding; do
        if [ -r "$foreign_switch" ] && [ "$(cat "$foreign_switch")" != 0 ]; then echo "$foreign_switch: this host forwards"; fi
    done
}
