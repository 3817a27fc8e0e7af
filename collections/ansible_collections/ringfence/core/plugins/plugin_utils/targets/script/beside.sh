# Beside: what other firewalls hold on this host, told as it is listed. Nothing is judged here and nothing changed.

# Bytes of one part, and of all of them.
beside_part=400000
beside_most=900000

# beside_tell HEAD: a part of what comes in; one that is too long is named instead.
beside_tell() {
    beside_text=$(head -c "$((beside_part + 1))")
    if [ -z "$beside_text" ]; then
        echo "unread $2, which is not listed"
        return 0
    fi
    beside_told=$((beside_told + ${#beside_text}))
    if [ "${#beside_text}" -gt "$beside_part" ] || [ "$beside_told" -gt "$beside_most" ]; then
        beside_told=$((beside_told - ${#beside_text}))
        echo "unread $2, which is too long"
        return 0
    fi
    printf 'part %s\n%s\n' "$1" "$beside_text"
}

# beside_look TABLE: what in the text that was told makes packets go around our table, or meet it as others than they are.
beside_look() {
    case $beside_text in
    *'"notrack"'* | *' --notrack'* | *'-j NOTRACK'*)
        beside_add "$1: notrack: packets without a connection, each is judged by itself"
        ;;
    esac
    case $beside_text in
    *'"ct helper"'* | *'-j CT'*' --helper'*) beside_add "$1: a helper of connections: those that it expects pass as related" ;;
    esac
    case $beside_text in
    *'"queue"'* | *'-j NFQUEUE'*) beside_add "$1: queue: a program decides and may change packets" ;;
    esac
    case $beside_text in
    *'"fwd"'* | *'"dup"'* | *'-j TEE'*) beside_add "$1: fwd or dup: packets, or copies of them, leave without any other table" ;;
    esac
}

beside_add() {
    beside_around="$beside_around$1
"
}

# What sees packets before the tables of any hook, or instead of them.
beside_below() {
    if have ip; then
        ip -o link show 2>/dev/null | awk '/xdp/ { print $2 " XDP: its program sees packets before every table" }'
    fi
    if have tc; then
        tc qdisc show 2>/dev/null | awk '$2 == "clsact" || $2 == "ingress" {
            for (i = 3; i < NF; i++) if ($i == "dev") print $(i + 1) ": tc " $2 ": its filters see packets without any table"
        }'
    fi
    # the variant of ebtables over nft has tables of nft
    awk '/^ebtable_(filter|nat|broute) / { print "ebtables (legacy) " substr($1, 9) ": present" }' /proc/modules 2>/dev/null
}

# Where distributions keep rules that they load at boot.
beside_files='etc/iptables/rules.v4 etc/iptables/rules.v6 etc/iptables/iptables.rules etc/iptables/ip6tables.rules
etc/iptables.up.rules etc/sysconfig/iptables etc/sysconfig/ip6tables etc/nftables.conf etc/nftables.nft etc/sysconfig/nftables.conf
etc/nftables/*.nft etc/nftables.d/*.nft'

# beside_saved ROOT: names files in which somebody saved our rules with the others: those of iptables do not load at boot without
# our sets, and take all others with them; those of nft come back as they were, a quarantine as well that was released since.
beside_saved() {
    for beside_file in $beside_files; do
        for beside_path in "$1"$beside_file; do
            if [ -f "$beside_path" ] && grep -q -E '^(:|-A )rfe?_|table inet ringfence(_emergency)? \{' "$beside_path"; then
                echo "/${beside_path#"$1"} holds rules of Ringfence that were saved with the others: at boot it fails or brings back old ones; take out what has rf_, rfe_ or ringfence"
            fi
        done
    done
}

# status_around: sentences of what status_beside met on its way.
status_around() {
    printf '%s' "$beside_around"
    beside_below
}

# The tables of nft but ours, each by itself. Of one that has chains of ours iptables tells.
beside_nft() {
    if ! have nft; then
        case $(iptables --version 2>/dev/null) in *nf_tables*) beside_xt=1 ;; esac
        if have iptables-nft-save; then beside_xt=1; fi
        if [ -n "$beside_xt" ]; then echo 'saved all'; fi
        if [ -n "$beside_xt" ] || [ -d /sys/module/nf_tables ]; then
            echo 'unread tables of nftables: nft is not installed'
        fi
        return 0
    fi
    beside_list=$(nft list tables 2>/dev/null) || echo 'unread tables of nftables, which nft does not list'
    while read -r beside_word beside_family beside_name; do
        if [ "$beside_word" != table ]; then continue; fi
        case "$beside_family $beside_name" in 'inet ringfence' | 'inet ringfence_emergency') continue ;; esac
        beside_json=$(nft -nn -s -j list table "$beside_family" "$beside_name" 2>/dev/null | head -c "$((beside_part + 1))")
        case $beside_json in
        *'"chain": "rf_'* | *'"chain": "rfe_'* | *'"xt":'*) beside_xt=1 ;;
        esac
        case $beside_json in
        *'"name": "rf_'* | *'"name": "rfe_'*)
            echo "saved $beside_family $beside_name"
            continue
            ;;
        esac
        printf '%s' "$beside_json" >"$work/beside"
        beside_tell "nft $beside_family $beside_name" "nftables table $beside_family $beside_name" <"$work/beside"
        beside_look "$beside_family $beside_name"
    done <<LIST
$beside_list
LIST
}

# beside_save COMMAND VARIANT FAMILY: what a variant of iptables tells, without our chains.
beside_save() {
    if ! have "$1"; then
        echo "unread rules of iptables ($2, IPv$3): $1 is not installed"
        return 0
    fi
    if ! "$1" >"$work/saved" 2>/dev/null; then
        echo "unread rules of iptables ($2, IPv$3), which is not listed"
        return 0
    fi
    awk '!/^:rfe?_/ && !/^-A rfe?_/' "$work/saved" >"$work/beside"
    # a variant that has no table of this family
    if [ ! -s "$work/beside" ]; then return 0; fi
    beside_tell "save $2 $3" "rules of iptables ($2, IPv$3)" <"$work/beside"
    case $beside_text in *' --match-set '*) beside_sets=1 ;; esac
    beside_look "${1%-save} ($2)"
}

# beside_called VARIANT STEM: the program that saves a variant; an older host has it under the plain name alone.
beside_called() {
    if have "$2-$1-save"; then
        echo "$2-$1-save"
    else
        case $("$2" --version 2>/dev/null) in
        '') beside_plain=none ;;
        *nf_tables*) beside_plain=nft ;;
        *) beside_plain=legacy ;;
        esac
        if [ "$beside_plain" = "$1" ]; then echo "$2-save"; else echo "$2-$1-save"; fi
    fi
}

# beside_any FILE: whether it has a line; what /proc has is of no size.
beside_any() {
    IFS= read -r beside_line 2>/dev/null <"$1"
}

# The caller has opened its work.
status_beside() {
    beside_told=0 beside_xt='' beside_sets='' beside_around=''
    beside_nft
    if [ -n "$beside_xt" ]; then
        beside_save "$(beside_called nft iptables)" nft 4
        beside_save "$(beside_called nft ip6tables)" nft 6
    fi
    if beside_any /proc/net/ip_tables_names; then beside_save "$(beside_called legacy iptables)" legacy 4; fi
    if beside_any /proc/net/ip6_tables_names; then beside_save "$(beside_called legacy ip6tables)" legacy 6; fi
    if [ -n "$beside_sets" ]; then
        ipset save 2>/dev/null | awk '$2 !~ /^rfe?_/' >"$work/beside"
        beside_tell ipset 'sets of ipset' <"$work/beside"
    fi
    echo end
}
