# Permissions and the table of the policy, which must let their connections pass as well.

# Whether a permission is among the lines $1, which the table of the policy must let pass as well.
emergency_permits() {
    case $1 in *"element permitted "*) return 0 ;; *) return 1 ;; esac
}

# not_passing: prints what holds a table of the policy that does not let connections with our label pass: `nft`, or a
# variant of iptables and a family, a line each.
not_passing() {
    if have nft && let_chain=$(nft -nn list chain inet ringfence input 2>/dev/null); then
        case $let_chain in *"ct label $emergency_label accept"*) ;; *) echo nft ;; esac
    fi
    for let_stem in iptables-legacy iptables-nft iptables; do
        if ! have "$let_stem-save"; then continue; fi
        for let_name in "$let_stem" "ip6tables${let_stem#iptables}"; do
            let_chain=$("$let_name-save" -t filter 2>/dev/null)
            case $let_chain in *"-A rf_in -m connlabel --label "*) ;; *"-A rf_in "*) echo "$let_name" ;; esac
        done
        if [ "$let_stem" = iptables-nft ]; then break; fi
    done
}

# let_through: has the table of the policy, whichever enforcer's it is, let connections with our label pass; the table of
# emergencies has dropped those that no permission holds any more.
let_through() {
    for let_tool in $(not_passing); do
        case $let_tool in
        nft) nft_through | nft -f - 2>/dev/null ;;
        *) restore_chains "$let_tool" "$(iptables_through)" ;;
        esac
    done
    return 0
}

# The same as commands, for what stands or for what is about to.
nft_through() {
    echo "insert rule inet ringfence input ct label $emergency_label accept"
    echo "insert rule inet ringfence output ct label $emergency_label accept"
}

iptables_through() {
    printf '*filter\n'
    printf '%s 1 -m connlabel --label %s -j RETURN\n' '-I rf_in' "$emergency_label" '-I rf_out' "$emergency_label"
    echo COMMIT
}

# swap_through: prints what of this a table that is about to be swapped in must be loaded with, by nft or iptables ($1).
swap_through() {
    if emergency_read && emergency_permits "$emergency_lines"; then "$1_through"; fi
}
