# What is kept of emergencies: on the disk for the next boot, and in memory as this boot's kernel was loaded with, for a
# disk that is full, read-only or damaged takes nothing away that stands.
#
# emergency           the entries, as wire/emergency_lines.py has them, behind the control paths; see emergency_read
# and in memory: emergency (the same), emergency.unkept (the disk did not take it: memory tells what stands)

emergency_kept=$state/emergency
emergency_memory=$runs/emergency

# is_plain FILE: whether it is a regular file and no link; whoever reads something else may wait forever.
is_plain() {
    [ -f "$1" ] && [ ! -L "$1" ]
}

# is_ours FILE: the same, and whether it is no larger than any of ours.
is_ours() {
    is_plain "$1" && [ -z "$(find "$1" -prune -size +81920 2>/dev/null)" ]
}

# is_there FILE: whether its name is taken, be it by a link to nothing.
is_there() {
    [ -e "$1" ] || [ -L "$1" ]
}

# make_way FILE: what is no such file and stands in its place is deleted, a directory set aside.
make_way() {
    if ! is_there "$1" || is_plain "$1"; then return 0; fi
    if [ -d "$1" ] && [ ! -L "$1" ]; then
        rmdir "$1" 2>/dev/null || { rm -rf "$1.damaged" && mv -f "$1" "$1.damaged"; } 2>/dev/null
    else
        rm -f "$1" 2>/dev/null
    fi
}

# emergency_stands: whether anything is kept on the disk or in memory.
emergency_stands() {
    is_there "$emergency_kept" || is_there "$emergency_memory"
}

# emergency_read [NOW]: what stands and has not ended, and the control paths, are emergency_lines, and emergency_source is the
# file that says so; fails where what is kept is damaged: then these are the quarantines that are whole in it.
# emergency_unkept says what is wrong with the disk's. NOW: emergency_time has just told.
emergency_read() {
    emergency_lines='' emergency_source='' emergency_unkept=''
    if [ -z "${1-}" ]; then emergency_time; fi
    if is_there "$runs/emergency.unkept" && emergency_of "$emergency_memory"; then
        emergency_unkept="$emergency_kept is not what stands: the disk did not take it"
    elif ! is_there "$emergency_kept"; then
        if is_there "$emergency_memory" && emergency_of "$emergency_memory"; then emergency_unkept="$emergency_kept is gone"; fi
    elif ! emergency_of "$emergency_kept"; then
        emergency_unkept="$emergency_kept is not whole"
        if ! emergency_of "$emergency_memory"; then
            emergency_rest
            return 1
        fi
    fi
}

# emergency_of FILE: reads it whole, or fails.
emergency_of() {
    is_ours "$1" || return 1
    emergency_lines=$(awk -v now="$emergency_now" -v far="$emergency_far" -v mark="$whole_mark" "$emergency_form"'
        { whole = $0 == mark }
        /^(#|$)/ { next }
        bad($0) { broken = 1; exit }
        $1 == "control" { print; next }
        $1 == "emergency" { live = $5 == 0 || ($5 > now && !(far && $3 == "permission")) }
        live
        END { if (broken || !whole) exit 1 }' "$1" 2>/dev/null) && emergency_source=$1
}

# emergency_rest: what can be read of a damaged file: control paths, and quarantines of which no line is missing. Nobody is
# let through by what is left of a permission.
emergency_rest() {
    emergency_lines=
    is_ours "$emergency_kept" || return 0
    emergency_lines=$(tr -d '\000' <"$emergency_kept" | awk -v now="$emergency_now" "$emergency_form"'
        function done() { if (head != "" && lines != "") printf "%s", head lines; head = lines = "" }
        /^#/ { done(); next }
        /^emergency q-/ { done(); if (!bad($0) && ($5 == 0 || $5 > now)) head = $0 "\n"; next }
        /^emergency / { done(); next }
        /^control / { if (!bad($0)) print; next }
        { if (bad($0)) head = ""; lines = lines $0 "\n" }')
    case $emergency_lines in *'emergency q-'*) ;; *) emergency_lines= ;; esac
}

# tell_source: prints what stands, also what has ended by itself: its rules stand, and its elements are gone.
tell_source() {
    if [ -n "$emergency_source" ]; then
        sed '/^#/d' "$emergency_source"
    elif [ -n "$emergency_lines" ]; then
        printf '%s\n' "$emergency_lines"
    fi
}

# emergency_ids: prints the ids of lines, with commas.
emergency_ids() {
    printf '%s\n' "$1" | awk '$1 == "emergency" { printf "%s%s", (n++ ? ", " : ""), $2 }'
}

# keep_emergency LINES: makes them the kept ones, in memory as well; fails where the disk does not take them.
keep_emergency() {
    make_way "$emergency_memory"
    keep_failed=
    if [ -z "$1" ]; then
        rm -rf "$emergency_kept" 2>/dev/null
        if is_there "$emergency_kept"; then keep_failed=1; fi
    elif keep_text "$emergency_kept" "$1
$whole_mark"; then
        sync "$emergency_kept" 2>/dev/null
    else
        keep_failed=1
    fi
    if [ -z "$1$keep_failed" ]; then
        rm -f "$emergency_memory" "$runs/emergency.unkept" 2>/dev/null
        return 0
    fi
    # half of it would be less than what the disk has
    { printf '%s\n' "$1" "$whole_mark" >"$emergency_memory.new" && mv -f "$emergency_memory.new" "$emergency_memory"; } 2>/dev/null ||
        rm -f "$emergency_memory.new" "$emergency_memory" 2>/dev/null
    if [ -n "$keep_failed" ]; then
        { true >"$runs/emergency.unkept"; } 2>/dev/null
        return 1
    fi
    if is_there "$runs/emergency.unkept"; then rm -f "$runs/emergency.unkept" 2>/dev/null; fi
}

# tell_kept: says what of that which stands a reboot would not bring back.
tell_kept() {
    if [ -n "$emergency_unkept" ]; then
        if [ -n "$emergency_lines" ]; then
            reply unkept "$emergency_unkept: after a reboot this host would not hold all of $(emergency_ids "$emergency_lines")"
        else
            reply unkept "$emergency_unkept: a reboot may bring back what was ended here"
        fi
    elif [ -n "$emergency_lines" ] && systemd_runs; then
        if [ ! -f "$units/$emergency_unit" ] || [ ! -L "$units/sysinit.target.wants/$emergency_unit" ]; then
            reply unkept "$emergency_unit is gone or not enabled: after a reboot this host would not hold $(emergency_ids "$emergency_lines")"
        elif ! is_plain "$state/emergency.sh" || ! is_script "$state/emergency.sh"; then
            reply unkept "$state/emergency.sh is gone or not whole: after a reboot this host would not hold $(emergency_ids "$emergency_lines")"
        fi
    fi
}

# Says that the disk does not have what the kernel has now.
unkept_words() {
    if [ -n "$emergency_wanted" ]; then
        reply warning "what stands here cannot be kept below $state: after a reboot this host does not hold all of it ($(emergency_ids "$emergency_wanted"))"
    else
        reply warning "that this was ended cannot be kept below $state: a reboot may bring it back"
    fi
}

# Prints what was saved of a damaged file.
emergency_saved() {
    if [ -n "$emergency_lines" ]; then printf '%s' " but for $(emergency_ids "$emergency_lines")"; fi
}
