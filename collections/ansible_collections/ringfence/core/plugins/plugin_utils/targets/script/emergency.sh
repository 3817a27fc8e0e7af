# Emergencies: what this host is cut off from, and let through to for a while, in a table of its own.
#
# That table is asked before the one of the policy, and what it drops nothing behind it lets through. So it needs no plan
# and no policy, and nothing that happens to the policy's table (a swap, a way back, stages, a move) touches it.
#
# emergency           what is kept, see emergency_kept.sh
# emergency.sh        this script, for the boot unit
# emergency.approved  which approvals were used; see use_approval
# and in memory: emergency.lock, emergency.tool (what loaded the table), emergency.label (a permission was given in this
# boot, so connections may bear our label)

# The label that a connection gets which a permission let begin: bit 97 of the 128 that conntrack keeps.
emergency_label=97

# lock_emergency: alone among those who load emergencies, or load a table that must know them. Nobody holds it for longer
# than that takes: no resolver, no confirmation. Where there is no flock the one lock of all is taken.
lock_emergency() {
    emergency_locked=
    if [ "$locked" = link ] || [ -n "$rf_locked" ]; then return 0; fi
    if ! have flock; then
        take_lock
        emergency_locked='link'
        return 0
    fi
    make_way "$runs/emergency.lock"
    if ! { true >>"$runs/emergency.lock"; } 2>/dev/null; then return 1; fi
    exec 8>>"$runs/emergency.lock"
    if ! lock_within 20 8; then
        exec 8>&-
        return 1
    fi
    emergency_locked=1
}

leave_emergency() {
    case $emergency_locked in
    link) leave_lock ;;
    ?*) exec 8>&- ;;
    esac
    emergency_locked=
}
emergency_locked=

# shellcheck disable=SC2016 # awk's own variables
emergency_form='
    # whether a line is none of ours: everything of it becomes part of a command
    function bad(line) {
        if (line !~ /^[A-Za-z0-9.:\/,%_~@ -]+$/) return 1
        if (line ~ /^emergency [qp]-[0-9a-f]+ (quarantine|permission) [0-9]+ [0-9]+ [^ ]+ [^ ]+$/) return 0
        if (line ~ /^element container ~?[A-Za-z0-9][A-Za-z0-9_.-]*( [0-9a-f.:]+)*$/) return 0
        if (line ~ /^element isolated (all|@[A-Za-z0-9_.-]+( @[A-Za-z0-9_.-]+)*)$/) return 0
        if (line ~ /^element (quarantined( [0-9a-f.:\/]+)+|kept( @[A-Za-z0-9_.-]+)*( [0-9a-f.:\/]+)*)$/) return 0
        if (line ~ /^element permitted (in|out|to|from) (any|[0-9]+) (any|[0-9,-]+) (any|@~?[A-Za-z0-9_.-]+|[0-9a-f.:\/,]+)( @[A-Za-z0-9_.-]+| [0-9a-f.:\/]+)+$/) return 0
        return line !~ /^(end [qp]-[0-9a-f]+|control( [46]-[0-9A-F]+-[0-9A-F]+)* [0-9]+)$/
    }
'

# merge_emergency LINES: these and those that are kept, as they are from now on, in emergency_merged: what is put takes the
# place of what has its id, what `end` names goes. emergency_differs says whether they are others than before, without control
# paths and the addresses of containers, which this host tells itself. Fails where a line is none of ours, with 3 where an
# entry that isolates this host would become one that does not: orders of two names of the inventory have come here.
merge_emergency() {
    emergency_merged=$(
        awk "$emergency_form"'
        function as_given(line,    word) {
            if (line ~ /^control /) return ""
            if (line ~ /^element container [^ ]+ /) { split(line, word, " "); line = "element container " word[3] }
            return line "\n"
        }
        $0 == "" { next }
        $0 == "given" { given = 1; id = ""; next }
        $0 == "# whole" { whole = 1; next }
        bad($0) { broken = 1; exit }
        $1 == "end" { gone[$2] = 1; next }
        $1 == "control" { if (!($0 in path)) { path[$0] = 1; paths[++pathed] = $0 } next }
        $1 == "emergency" {
            id = $2
            if (given && (id in lines)) { broken = 1; exit }
            if (given || !(id in before)) order[++count] = id
            if (given) lines[id] = ""
        }
        id == "" { broken = 1; exit }
        $0 == "element isolated all" { if (given) isolates[id] = 1; else isolated[id] = 1 }
        !given { old = old as_given($0) }
        given { lines[id] = lines[id] $0 "\n"; next }
        { before[id] = before[id] $0 "\n" }
        END {
            if (broken || !whole) exit 1
            for (id in isolated) if ((id in lines) && !(id in isolates)) exit 3
            for (i = 1; i <= count; i++) if (!told[order[i]]++)
                text = text ((order[i] in lines) ? lines[order[i]] : (order[i] in gone) ? "" : before[order[i]])
            n = split(text, line, "\n")
            for (i = 1; i < n; i++) new = new as_given(line[i])
            print (new == old ? "" : "differs")
            if (text == "") exit
            for (i = pathed > 64 ? pathed - 63 : 1; i <= pathed; i++) print paths[i]
            printf "%s", text
        }' <<LINES
$emergency_lines
given
$1
LINES
    ) || return
    case $emergency_merged in
    differs*) emergency_differs=1 ;;
    *) emergency_differs= ;;
    esac
    case $emergency_merged in
    *"
"*) emergency_merged=${emergency_merged#*"
"} ;;
    *) emergency_merged= ;;
    esac
}

# The control paths that stay open beside every emergency: those of the plans that this host holds, what the order says, and
# where this command comes from.
emergency_paths() {
    read_head "$state/confirmed.nft" confirmed
    read_head "$state/candidate.nft" candidate
    if [ -n "$confirmed_control" ]; then echo "control $confirmed_control $confirmed_port"; fi
    if [ -n "$candidate_control" ]; then echo "control $candidate_control $candidate_port"; fi
    if [ -n "$rf_control" ]; then echo "control $rf_control $rf_port"; fi
    if [ -n "$connection_peer" ]; then echo "control $connection_family-$connection_hex-$connection_hex $connection_port"; fi
}

# Whether what is given cuts somebody off; fails for permissions and ends alone.
emergency_cuts() {
    case $1 in *"element quarantined "* | *"element isolated "*) return 0 ;; *) return 1 ;; esac
}

# emergency_guard LINES: refuses what would cut off who asks for it: the connection is found, and none of the networks holds it.
emergency_guard() {
    connection_peer=
    if ! find_connection "${rf_port:-22}"; then
        connection_peer=
        if [ -n "$rf_force" ] || ! emergency_cuts "$1"; then return 0; fi
        refuse lockout "cannot find the ssh connection of this command, so it cannot be proven to survive"
    fi
    case $1 in *"element quarantined "*) ;; *) return 0 ;; esac
    guard_held=$(
        awk -v peer="$connection_peer" '
        function bits(text,    part, n, i, half, out, groups) {
            if (text !~ /:/) {
                split(text, part, ".")
                for (i = 1; i <= 4; i++) out = out binary(part[i] + 0, 8)
                return out
            }
            n = split(text, half, "::")
            groups = split(half[1], part, ":")
            for (i = 1; i <= groups; i++) out = out binary(hex(part[i]), 16)
            if (n < 2) return out
            n = split(half[2], part, ":")
            for (i = groups + n; i < 8; i++) out = out "0000000000000000"
            for (i = 1; i <= n; i++) out = out binary(hex(part[i]), 16)
            return out
        }
        function hex(text,    i, n) {
            for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
            return n + 0
        }
        function binary(n, width,    out) {
            for (; width > 0; width--) { out = n % 2 out; n = int(n / 2) }
            return out
        }
        $1 == "emergency" { id = $2 }
        $2 == "quarantined" {
            for (i = 3; i <= NF; i++) {
                if (($i ~ /:/) != (peer ~ /:/)) continue
                n = split($i, part, "/")
                length_ = n == 2 ? part[2] : peer ~ /:/ ? 128 : 32
                if (substr(bits(part[1]), 1, length_) == substr(bits(peer), 1, length_)) { print id; exit }
            }
        }' <<LINES
$1
LINES
    )
    if [ -n "$guard_held" ]; then
        refuse lockout "$guard_held would cut off $connection_peer, where this command comes from"
    fi
}

# load_emergency LINES [SAFE]: puts them into the kernel, or takes all out for none; what the tool said is in
# emergency_said. SAFE: without permissions, where these do not load.
load_emergency() {
    emergency_labelled='' emergency_said=''
    case $1 in *"element permitted "*) { true >"$runs/emergency.label"; } 2>/dev/null ;; esac
    if [ -e "$runs/emergency.label" ]; then emergency_labelled=1; fi
    if load_emergency_by "$1" "$emergency_labelled" 1; then return 0; fi
    [ -n "${2-}" ] && load_emergency_by "$1" '' ''
}

load_emergency_by() {
    if emergency_forwards "$1" && ! have nft; then
        emergency_said='containers are reached by nft, which is not installed'
        return 1
    fi
    if have nft; then
        if emergency_said=$(printf '%s\n' "$1" | emergency_nft "$2" "$3" | nft -f - 2>&1); then
            if [ -e "$runs/emergency.iptables" ]; then emergency_chains '' '' '' && rm -f "$runs/emergency.iptables"; fi
            return 0
        fi
        if emergency_forwards "$1"; then return 1; fi
    fi
    if ! have iptables-restore || ! have ip6tables-restore; then
        if [ -z "$emergency_said" ]; then emergency_said='neither nft nor iptables is installed'; fi
        return 1
    fi
    { true >"$runs/emergency.iptables"; } 2>/dev/null
    emergency_chains "$1" "$2" "$3"
}

# The two families are swapped one after the other, IPv4 last.
emergency_chains() {
    for emergency_name in ip6tables iptables; do
        case $emergency_name in ip6tables) emergency_family=6 ;; *) emergency_family=4 ;; esac
        emergency_text=$(printf '%s\n' "$1" | emergency_iptables "$emergency_name" "$emergency_family" "$2" "$3") || return 1
        restore_chains "$emergency_name" "$emergency_text" || return 1
    done
    # the chains are loaded: where memory takes no file, their ends are told as different, and hold all the same
    { printf '%s\n' "${emergency_skew:-0}" >"$runs/emergency.skew"; } 2>/dev/null || true
}

# restore_chains NAME TEXT: gives a transaction to NAME-restore; what it says is in emergency_said. Another program may hold
# the lock of iptables for a while, and 1.4.21 cannot be told to wait for it here: ten seconds, then this fails.
restore_chains() {
    restore_tries=0
    until emergency_said=$(printf '%s\n' "$2" | "$1-restore" --noflush 2>&1); do
        restore_tries=$((restore_tries + 1))
        case $emergency_said in *'xtables lock'*) ;; *) return 1 ;; esac
        if [ "$restore_tries" -ge 50 ]; then return 1; fi
        sleep 0.2 2>/dev/null || sleep 1
    done
}

# tell_emergency [now|kept]: replies what is kept, and what the kernel has of it. now: emergency_time has just told; kept: the
# disk has just taken emergency_wanted.
tell_emergency() {
    if ! emergency_stands && [ ! -e "$runs/emergency.label" ] && [ ! -e "$runs/emergency.loaded" ]; then return 0; fi
    if [ "${1-}" = kept ]; then
        emergency_lines=$emergency_wanted emergency_unkept='' emergency_source=
        if [ -n "$emergency_wanted" ]; then emergency_source=$emergency_kept; fi
        tell_kept
    elif emergency_read "${1-}"; then
        tell_kept
    else
        reply damaged "$emergency_kept is not whole: what was cut off here is not known$(emergency_saved)"
    fi
    # also what has ended by itself: its rules stand, and its elements are gone
    section_begins emergency
    tell_source
    section_ends emergency
    tell_clock
    if emergency_permits "$emergency_lines"; then
        if [ -z "$(not_passing)" ]; then reply label_passes yes; else reply label_passes no; fi
    fi
    section_begins emergency_kernel
    if have nft; then nft -nn list table inet ringfence_emergency 2>/dev/null; fi
    if [ -e "$runs/emergency.iptables" ]; then
        for tell_name in iptables ip6tables; do
            echo "# section $tell_name"
            "$tell_name-save" -t mangle 2>/dev/null | grep rfe_
        done
    fi
    section_ends emergency_kernel
}

# `emergency`: puts and ends what standard input says, lines of wire/emergency_lines.py and `end ID`, the last of them
# `# whole`. All of it is done, or nothing.
verb_emergency() {
    check_state
    emergency_given=$(cat)
    check_approved "$emergency_given"
    emergency_guard "$emergency_given"
    if [ -z "$rf_check" ]; then
        open_runs || refuse_write "${runs%/*}"
        # what the disk does not take stands until the next boot
        make_state || true
        lock_emergency || refuse busy "another Ringfence command loads emergencies on this host: try again"
    fi
    use_approval "$emergency_given"
    if ! emergency_read; then
        reply warning "$emergency_kept was damaged: what was cut off here before is not known$(emergency_saved), and kept as $emergency_kept.damaged"
        if [ -z "$rf_check" ]; then { rm -rf "$emergency_kept.damaged" && mv -f "$emergency_kept" "$emergency_kept.damaged"; } 2>/dev/null; fi
    elif [ -n "$emergency_unkept" ]; then
        reply warning "$emergency_unkept: what stood is known from memory"
    fi
    emergency_before=$emergency_lines
    section_begins emergency_before
    printf '%s\n' "$emergency_before"
    section_ends emergency_before
    merge_emergency "$(emergency_paths)
$emergency_given" || case $? in
    3) refuse emergency 'this host is isolated by that quarantine already, under another name of the inventory: it stays isolated' ;;
    *) refuse input "the emergencies were not transferred completely, or are not valid" ;;
    esac
    emergency_wanted=$emergency_merged
    if [ -z "$emergency_differs" ] && ! emergency_lost "$emergency_before"; then
        reply changed no
    else
        reply changed yes
    fi
    if [ -n "$rf_check" ]; then
        reply state held
        tell_emergency now
        finish 0
    fi
    emergency_state=held
    keep_emergency "$emergency_wanted" || emergency_state=unkept
    if ! load_emergency "$emergency_wanted"; then
        keep_emergency "$emergency_before"
        # what a tool took of it, for one family, goes again
        load_emergency_why=$emergency_said
        load_emergency "$emergency_before" safe
        refuse emergency "this host does not take it: $(printf '%s' "$load_emergency_why" | sed '/^Warning/d' | head -n 2 | tr '\n' ' ')"
    fi
    { true >"$runs/emergency.loaded"; } 2>/dev/null
    keep_clock "$emergency_wanted"
    # behind what is known from before: an engine that hangs delays nobody
    if emergency_moved "$emergency_wanted" && load_emergency "$emergency_moved"; then
        emergency_wanted=$emergency_moved
        keep_emergency "$emergency_wanted" || emergency_state=unkept
    fi
    if [ -n "$moved_unknown" ]; then reply warning "$moved_unknown"; fi
    warn_of_offloaded "$emergency_wanted"
    warn_of_tracking
    if emergency_permits "$emergency_wanted"; then let_through; fi
    if [ "$emergency_state" = unkept ]; then
        unkept_words
        tell_emergency now
    else
        persist_emergency "$emergency_wanted" || reply warning 'the unit that loads it at boot cannot be written'
        tell_emergency kept
    fi
    leave_emergency
    reply state "$emergency_state"
}

# Whether the kernel has nothing of the lines $1, as after somebody flushed all.
emergency_lost() {
    if [ -z "$1" ]; then return 1; fi
    if [ -e "$runs/emergency.iptables" ]; then
        ! iptables -t mangle -S rfe_out >/dev/null 2>&1
    else
        ! nft list table inet ringfence_emergency >/dev/null 2>&1
    fi
}

# `hold`, at boot and after a flush: what is kept is in the kernel. Without a word of what failed it would be open in silence.
verb_hold() {
    open_runs || exit 1
    lock_emergency || exit 1
    if ! emergency_read; then
        echo "ringfence: $emergency_kept is not whole: nothing of it is cut off$(emergency_saved)" >&2
        if [ -z "$emergency_lines" ]; then finish 1; fi
    fi
    if ! load_emergency "$emergency_lines" safe; then
        echo "ringfence: what is kept in $emergency_kept does not load: $emergency_said" >&2
        finish 1
    fi
    { true >"$runs/emergency.loaded"; } 2>/dev/null
    keep_clock "$emergency_lines"
    # a host that cannot has warned at the order, and nobody reads a boot
    forget_offloaded "$emergency_lines" || true
    if emergency_permits "$emergency_lines"; then let_through; fi
    finish 0
}

# admit_control: before a table with another control path is loaded, that path is open beside every emergency as well.
admit_control() {
    if ! emergency_stands; then return 0; fi
    lock_emergency || return 0
    if emergency_read && merge_emergency "$(emergency_paths)
$whole_mark"; then
        if [ "$emergency_merged" != "$emergency_lines" ]; then
            keep_emergency "$emergency_merged"
            load_emergency "$emergency_merged" safe
        fi
    fi
    leave_emergency
}

# end_emergencies: refuses while something is cut off, unless told that it ends; else takes all of it out.
end_emergencies() {
    if ! emergency_stands && [ ! -e "$runs/emergency.loaded" ]; then return 0; fi
    if emergency_read && emergency_cuts "$emergency_lines" && [ -z "$rf_force" ]; then
        refuse emergency "a quarantine stands on this host: release it first ($(printf '%s\n' "$emergency_lines" | awk '$3 == "quarantine" { printf "%s%s", (n++ ? ", " : ""), $2 }'))"
    fi
    if [ -n "$rf_check" ]; then return 0; fi
    lock_emergency
    rm -f "$runs/emergency.label" 2>/dev/null
    rm -rf "$state/emergency.clock" 2>/dev/null
    keep_emergency ''
    load_emergency ''
    rm -f "$runs/emergency.loaded"
    persist_emergency '' >/dev/null
    leave_emergency
}
