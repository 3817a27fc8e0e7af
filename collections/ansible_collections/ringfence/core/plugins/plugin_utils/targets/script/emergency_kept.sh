# What is kept of emergencies: on the disk for the next boot, and in memory as this boot's kernel was loaded with, for a
# disk that is full, read-only or damaged takes nothing away that stands.
#
# emergency           the entries, as wire/emergency_lines.py has them, behind the control paths; see emergency_read
# and in memory: emergency (the same), emergency.unkept (the disk did not take it: memory tells what stands)

emergency_kept=$state/emergency
emergency_memory=$runs/emergency

# is_plain FILE: whether it is a regular file, no link, and no larger than any of ours; who reads another may wait forever.
is_plain() {
    [ -f "$1" ] && [ ! -L "$1" ] && [ -z "$(find "$1" -prune -size +81920 2>/dev/null)" ]
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

# is_whole FILE: of emergencies.
is_whole() {
    is_plain "$1" && ends_whole "$1"
}

# emergency_stands: whether anything is kept on the disk or in memory.
emergency_stands() {
    is_there "$emergency_kept" || is_there "$emergency_memory"
}

# emergency_read: what stands is emergency_text, those of it that have not ended, and the control paths, are emergency_lines;
# fails where what is kept is damaged: then these are the quarantines that are whole in it. emergency_unkept says what is
# wrong with the disk's.
emergency_read() {
    emergency_lines='' emergency_text='' emergency_unkept=''
    emergency_time
    if is_there "$runs/emergency.unkept" && emergency_of "$emergency_memory"; then
        emergency_unkept="$emergency_kept is not what stands: the disk did not take it"
    elif ! is_there "$emergency_kept"; then
        if ! is_there "$emergency_memory" || ! emergency_of "$emergency_memory" || [ -z "$emergency_text" ]; then
            emergency_lines='' emergency_text=''
            return 0
        fi
        emergency_unkept="$emergency_kept is gone"
    elif emergency_of "$emergency_kept"; then
        return 0
    elif emergency_of "$emergency_memory"; then
        emergency_unkept="$emergency_kept is not whole"
    else
        emergency_unkept="$emergency_kept is not whole"
        emergency_rest
        return 1
    fi
}

# emergency_of FILE: reads it whole, or fails.
emergency_of() {
    is_whole "$1" || return 1
    emergency_text=$(awk "$emergency_form"'/^(#|$)/ { next } bad($0) { exit 1 } { print }' "$1") || return 1
    emergency_lines=$(printf '%s\n' "$emergency_text" | awk -v now="$emergency_now" -v far="$emergency_far" '
        $1 == "control" { print; next }
        $1 == "emergency" { live = $5 == 0 || ($5 > now && !(far && $3 == "permission")) }
        live')
}

# emergency_rest: what can be read of a damaged file: control paths, and quarantines of which no line is missing. Nobody is
# let through by what is left of a permission.
emergency_rest() {
    emergency_text='' emergency_lines=''
    is_plain "$emergency_kept" || return 0
    emergency_text=$(tr -d '\000' <"$emergency_kept" | awk -v now="$emergency_now" "$emergency_form"'
        function done() { if (head != "" && lines != "") printf "%s", head lines; head = lines = "" }
        /^#/ { done(); next }
        /^emergency q-/ { done(); if (!bad($0) && ($5 == 0 || $5 > now)) head = $0 "\n"; next }
        /^emergency / { done(); next }
        /^control / { if (!bad($0)) print; next }
        { if (bad($0)) head = ""; lines = lines $0 "\n" }')
    case $emergency_text in *'emergency q-'*) ;; *) emergency_text= ;; esac
    emergency_lines=$emergency_text
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
    else
        keep_text "$emergency_kept" "$1
$whole_mark" && sync "$emergency_kept" 2>/dev/null
        holds_kept "$1" || keep_failed=1
    fi
    if [ -z "$1$keep_failed" ]; then
        rm -f "$emergency_memory" "$runs/emergency.unkept" 2>/dev/null
        return 0
    fi
    # half of it would be less than what the disk has
    { printf '%s\n' "$1" "$whole_mark" >"$emergency_memory.new"; } 2>/dev/null && ends_whole "$emergency_memory.new" &&
        mv -f "$emergency_memory.new" "$emergency_memory" 2>/dev/null || rm -f "$emergency_memory.new" "$emergency_memory" 2>/dev/null
    if [ -n "$keep_failed" ]; then
        { true >"$runs/emergency.unkept"; } 2>/dev/null
        return 1
    fi
    rm -f "$runs/emergency.unkept" 2>/dev/null
}

# holds_kept LINES: whether the disk has exactly these.
holds_kept() {
    is_whole "$emergency_kept" && printf '%s\n' "$1" "$whole_mark" | cmp -s - "$emergency_kept"
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
