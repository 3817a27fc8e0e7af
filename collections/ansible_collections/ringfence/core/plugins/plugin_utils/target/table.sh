# The kernel's table: whether ours stands, and how another takes its place in one transaction.

# Which table stands is told by an empty chain, which is cheaper than to read it back.
stands() {
    [ -n "$1" ] && nft list chain inet ringfence "plan_$(printf '%.16s' "$1")" >/dev/null 2>&1
}

any_stands() {
    case "
$(nft list tables 2>/dev/null)
" in
    *"
table inet ringfence
"*) return 0 ;;
    *) return 1 ;;
    esac
}

# Before a direction first enforces, conntrack must see connections begin: what starts between the reading of the
# sockets and the swap is tracked by this table, which the swap deletes again.
track_until=
track_first() {
    track_until='' table_stood=''
    # where nothing is confirmed, one transaction both asks whether our table stands, by failing, and tracks
    if [ -z "$confirmed_ruleset" ] && track 'create table inet ringfence
delete table inet ringfence'; then return 0; fi
    # a table that an interrupted command was only just staging has no chains that the kernel enters
    if nft list chain inet ringfence input >/dev/null 2>&1; then
        table_stood=1
    else
        track ''
    fi
}

track() {
    nft -f - <<RULES 2>/dev/null && track_until='delete table inet ringfence_track'
$1
table inet ringfence_track {
	chain input { type filter hook input priority -300; policy accept; ct state new accept; }
	chain output { type filter hook output priority -300; policy accept; ct state new accept; }
}
RULES
}

track_no_more() {
    if [ -n "$track_until" ]; then nft delete table inet ringfence_track 2>/dev/null; fi
    track_until=
}

# load_table FILE [SECONDS]: swaps it in together with the connections of $work/sockets, which it prints as a section of
# the reply, after track_first. What nft said is in $work/said. SECONDS: a way back of so long is armed.
load_table() {
    printf 'include "%s"\n' "$1" >"$work/swap.nft"
    echo 'ringfence:begin sockets'
    standing_elements "$work/swap.nft"
    printf '\nringfence:end sockets\n'
    printf '%s\n' "$track_until" >>"$work/swap.nft"
    if nft -f "$work/swap.nft" >"$work/said" 2>&1 || { too_long && load_in_stages "$1" "${2-}"; }; then
        track_until=
        return 0
    fi
    track_no_more
    return 1
}

# Loads the last confirmed ruleset: with the connections that stand, else without them; if even that fails there is no
# table of ours any more.
load_confirmed() {
    track_first
    socket_text >"$work/sockets"
    if [ -n "$track_until" ]; then flow_text >>"$work/sockets"; fi
    if load_table "$state/confirmed.nft" >/dev/null; then return 0; fi
    true >"$work/sockets"
    if load_table "$state/confirmed.nft" >/dev/null; then return 0; fi
    nft delete table inet ringfence 2>/dev/null
    return 1
}

# What the kernel recorded would go with the table: it is part of the reply first.
reply_denials() {
    denial_sets=$(nft -t list table inet ringfence 2>/dev/null | sed -n 's/^[[:space:]]*set \(\(denied\|watched\)_[A-Za-z0-9_]*\) {$/\1/p')
    if [ -z "$denial_sets" ]; then return 0; fi
    # one by one: nft 1.0.6 finds no set when it is asked for several at once
    for denial_set in $denial_sets; do nft -nn list set inet ringfence "$denial_set" 2>/dev/null; done | reply_section denials
}
