# Listing: what nft shows of this host, as the strict reader and the plan want it.

# status_tools: replies the features of the nftables enforcer.
status_tools() {
    tools_nft=$(nft --version | sed -n 's/.* v\([0-9.]*\).*/\1/p')
    reply nft "$tools_nft"
    # too old for us: what stands in for it is told as well
    case $tools_nft in
    0.[0-8] | 0.[0-8].* | 0.9 | 0.9.[012])
        reply iptables "$(iptables --version 2>/dev/null | sed -n 's/.* v\([0-9.]*\).*/\1/p')"
        reply ipset "$(ipset --version 2>/dev/null | sed -n 's/^ipset v\([0-9.]*\).*/\1/p')"
        ;;
    esac
    if status_socket_cgroup; then reply socket_cgroup yes; else reply socket_cgroup no; fi
}

# A listing that is cut short is none.
status_listing() {
    echo 'ringfence:begin listing'
    nft -nn -y list table inet ringfence 2>/dev/null
    status_listed=$?
    printf '\nringfence:end listing\n'
    if [ "$status_listed" -ne 0 ]; then
        reply table unknown
        reply unknown 'nft does not list our table'
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
    # what nft cannot list (a table that iptables or another release filled) is not nothing
    { nft -t list ruleset 2>/dev/null || echo unlisted; } | awk '
        $0 == "unlisted" { print "other tables: nft does not list them all, so what they do is not known"; next }
        $1 == "table" { table = $2 " " $3; ours = $2 == "inet" && $3 ~ /^ringfence(_emergency)?$/; next }
        ours { next }
        waits { if ($1 != "}") print waits; waits = "" }
        $1 == "flowtable" { print table ": flowtable" }
        $1 == "type" && $2 == "nat" { nat[table] = 1 }
        # one without a rule that lets all pass does nothing, such as those of a stock nftables.conf
        $1 == "type" && $4 == "forward" {
            if (table ~ / docker-bridges$/) print table ": forward chain of Docker, whose backend is nftables"
            else if (/policy drop/) print table ": forward chain"
            else waits = table ": forward chain"
        }
        $1 == "type" && $2 == "filter" && $4 == "ingress" { print table ": netdev ingress chain" }
        / tproxy / { print table ": tproxy" }
        nat[table] && /(redirect|dnat|snat|masquerade)/ && !told[table]++ { print table ": NAT" }'
    foreign_containers
    if beside_any /proc/net/ip_tables_names; then
        while read -r foreign_table; do echo "iptables (legacy) $foreign_table: present"; done </proc/net/ip_tables_names
    fi
}
