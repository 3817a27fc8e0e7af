# Listing: what iptables and ipset show of this host, as the strict reader and the plan want it.

# status_tools: replies the features of the iptables enforcer.
status_tools() {
    reply iptables "$(iptables --version | sed -n 's/.* v\([0-9.]*\).*/\1/p')"
    # nftables may be usable by now
    reply nft "$(nft --version 2>/dev/null | sed -n 's/.* v\([0-9.]*\).*/\1/p')"
    reply ipset "$(ipset --version 2>/dev/null | sed -n 's/^ipset v\([0-9.]*\).*/\1/p')"
    if ipset create rf_probe hash:net skbinfo 2>/dev/null; then reply skbinfo yes; else reply skbinfo no; fi
    ipset destroy rf_probe 2>/dev/null
    marks_used=0
    for marks_mask in $(for marks_stem in $(stems); do
        "$marks_stem-save"
        "ip6tables${marks_stem#iptables}-save"
    done 2>/dev/null | grep -v '^-A rf_' |
        sed -n 's/.*--\(set-x\{0,1\}mark\|mark\|nfmask\) \(0x[0-9a-f]*\/\)\{0,1\}\(0x[0-9a-f]*\).*/\3/p' | sort -u); do
        marks_used=$((marks_used | marks_mask))
    done
    reply marks_used "$marks_used"
}

# Sections as the reader wants them. A listing that is cut short is none.
status_listing() {
    echo 'ringfence:begin listing'
    status_listed=0
    echo '# section ipset'
    ipset save 2>/dev/null | awk '$2 ~ /^rf_/' || status_listed=1
    for list_stem in $(stems); do
        list_variant=${list_stem#iptables-}
        case $list_variant in iptables) case $(iptables --version) in *nf_tables*) list_variant=nft ;; *) list_variant=legacy ;; esac ;; esac
        echo "# section ipv4 $list_variant"
        without_emergency "$list_stem-save" || status_listed=1
        echo "# section ipv6 $list_variant"
        without_emergency "ip6tables${list_stem#iptables}-save" || status_listed=1
    done
    printf '\nringfence:end listing\n'
    if [ "$status_listed" -ne 0 ]; then
        reply table unknown
        reply unknown 'iptables does not list our chains'
    fi
}

# without_emergency COMMAND: what it lists but our chains of emergencies, which are told and compared by themselves.
without_emergency() {
    without_listed=$("$1" -c 2>/dev/null) || return 1
    printf '%s\n' "$without_listed" | awk '!/^:rfe_/ && !/^\[[0-9:]*\] -A [A-Za-z]+ -j rfe_/ && !/^\[[0-9:]*\] -A rfe_/'
}

# What other tables do that chains of ours cannot see behind: they are named, not judged.
status_foreign() {
    for foreign_stem in $(stems); do
        for foreign_name in "$foreign_stem" "ip6tables${foreign_stem#iptables}"; do
            "$foreign_name-save" 2>/dev/null | awk -v name="$foreign_name" '
                /^\*/ { table = substr($0, 2) }
                /^-A / && table == "nat" && !told["NAT"]++ { print name " nat: NAT" }
                /^-A FORWARD / && $NF != "rfe_forward" && !told["forward"]++ { print name " " table ": forward chain" }
                / -j TPROXY/ && !told["tproxy"]++ { print name " " table ": tproxy" }'
        done
    done
    if have nft; then
        nft -t list ruleset 2>/dev/null | awk '
            $1 == "table" && $2 == "inet" && $3 != "ringfence_emergency" { print "nftables table " $3 ": present" }
            $1 == "table" && $3 == "docker-bridges" { print "nftables table " $2 " " $3 ": Docker, whose backend is nftables" }'
    fi
}
