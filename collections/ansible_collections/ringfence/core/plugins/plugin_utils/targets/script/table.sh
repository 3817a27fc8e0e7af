# The kernel's table: whether ours stands, and how another takes its place in one transaction.

# What sentences call the program, the units that flush its rules, those of other firewalls that do, and whether maps of units are one for each depth.
filter_tool=nft
flushers=nftables.service
# a table of its own is nobody else's
wipers=
map_levels=1

need_tools() {
    if ! have nft; then refuse nft "nft is not installed: install the package nftables"; fi
}

# Whether nft takes the ruleset of standard input; what it refuses for its size alone was understood, and would be
# loaded in stages.
check_ruleset() {
    check_said=$(nft -c -f - 2>&1) || case $check_said in
    *"Message too l"*) ;;
    *) return 1 ;;
    esac
}

# reads FILE: whether a confirmed text is of this enforcer.
reads() {
    grep -q '^table inet ringfence {' "$1"
}

# delete_table: takes all of ours out of the kernel.
delete_table() {
    nft delete table inet ringfence 2>/dev/null
    nft delete table inet ringfence_track 2>/dev/null
}

# open_command TABLE: prints the command that opens the host where this table stands and no script is left, without `$`.
open_command() {
    plan_chain "$1"
    printf '%s' "if nft list chain inet ringfence $chain; then nft delete table inet ringfence; fi"
}

# boot_check: prints the command that fails where nothing of ours is in the kernel.
boot_check() {
    printf '%s' "$(command -v nft) list chain inet ringfence input"
}

# Prints what the kernel has of ours, as read_kernel wants it; the table is what the chain of the plan tells.
kernel_words() {
    nft list chains inet 2>/dev/null && echo "$whole_mark"
}
# shellcheck disable=SC2016 # awk's own variables
kernel_program='
    $1 == "table" { ours = $3 == "ringfence"; if (ours) found = "present" }
    ours && $1 == "chain" && $2 ~ /^plan_[0-9a-f]+$/ { plan = " " substr($2, 6) }
    function told() { return found plan }
'

# plan_chain TABLE: the name of the empty chain that tells which table stands, in chain.
plan_chain() {
    chain=plan_${1%"${1#????????????????}"}
}

# has_in_kernel TABLE: whether read_kernel found this one.
has_in_kernel() {
    plan_chain "$1"
    [ -n "$1" ] && [ "plan_$kernel_table" = "$chain" ]
}

# Whether a table stands is told by its chain, which is cheaper than to read it back; where that fails the kernel is asked
# once more in another way, and kernel says what it told.
stands() {
    if [ -z "$1" ]; then return 1; fi
    plan_chain "$1"
    nft list chain inet ringfence "$chain" >/dev/null 2>&1 || { read_kernel && has_in_kernel "$1"; }
}

# Before a direction first enforces, conntrack must see connections begin: what starts between the reading of the
# sockets and the swap is tracked by this table, which the swap deletes again.
track_until=
track_first() {
    track_until='' table_stood='' track_listed=''
    # where nothing is confirmed, one transaction both asks whether our table stands, by failing, and tracks
    if [ -z "$confirmed_ruleset" ] && track 'create table inet ringfence
delete table inet ringfence'; then return 0; fi
    # What stands is listed once: whether it has a chain that the kernel enters (a table that an interrupted command was
    # only just staging has none), and which sets hold what it recorded.
    track_listed=$(nft -t list table inet ringfence 2>/dev/null |
        sed -n 's/^	chain input {$/input/p; s/^[[:space:]]*set \(\(denied\|watched\)_[A-Za-z0-9_]*\) {$/\1/p')
    case "
$track_listed
" in
    *"
input
"*) table_stood=1 ;;
    *) track '' ;;
    esac
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
    lock_emergency
    swap_through nft >>"$work/swap.nft"
    printf '%s\n%s\n' "$track_until" "$whole_mark" >>"$work/swap.nft"
    load_written='' load_torn=
    if ends_whole "$work/swap.nft"; then
        load_written=1
        if nft -f "$work/swap.nft" >"$work/said" 2>&1 || { too_long && ! has_containers "${rf_processes-}" && ! grep -q 'chain forwarded_' "$1" && load_in_stages "$1" "${2-}"; }; then
            track_until=
            leave_emergency
            return 0
        fi
    fi
    leave_emergency
    track_no_more
    return 1
}

# load_back FILE TABLE: loads what was confirmed, with the connections that stand, else without them, else without a file
# of our own; succeeds when the kernel was read to have it. load_said is what nft said,
# load_done whether it took it.
load_back() {
    load_said='' load_done=''
    if [ -n "$work" ]; then
        track_first
        sockets_of "$work/sockets"
        load_table "$1" >/dev/null 2>&1
        if stands "$2"; then return 0; fi
        { true >"$work/sockets"; } 2>/dev/null
        load_table "$1" >/dev/null 2>&1
        if stands "$2"; then return 0; fi
    fi
    load_said=$(nft -f "$1" 2>&1) && load_done=1
    load_said=${load_said%%"
"*}
    if emergency_read && emergency_permits "$emergency_lines"; then let_through; fi
    stands "$2"
}

# What the kernel recorded would go with the table: it is part of the reply first.
reply_denials() {
    denial_sets=
    for denial_set in $track_listed; do case $denial_set in input) ;; *) denial_sets="$denial_sets $denial_set" ;; esac done
    if [ -z "$denial_sets" ]; then return 0; fi
    # one by one: nft 1.0.6 finds no set when it is asked for several at once
    for denial_set in $denial_sets; do nft -nn list set inet ringfence "$denial_set" 2>/dev/null; done | reply_section denials
}
