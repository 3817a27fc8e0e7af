# The time by which emergencies end: the controller's, for this host's own clock may be hours off or be set at any moment.
#
# emergency.clock     what the controller's clock and this host's said when it last told: `CONTROLLER HOST UPTIME BOOT WORD`,
#                     WORD `own` where nobody told and it is what this host itself knew last, `far` behind a boot whose clock
#                     nobody can believe
# and in memory: emergency.skew (by how much this host's clock was ahead when the chains of iptables were loaded, which
# end by it)

# Seconds that the two may differ: an order is on its way for a while. No emergency lasts as long as clock_far_off: a clock
# that says so much has passed over a boot is wrong, or all has ended.
clock_margin=60
clock_far_off=2592000

# emergency_time: the time now, by the controller's clock as far as it is known, is emergency_now; emergency_skew is by how
# much this host's clock is ahead. Within one boot no clock is asked that somebody can set. emergency_far: how much has passed
# over a boot is not to be believed, so what cuts off stands on, and no permission does.
emergency_time() {
    emergency_now=$(date +%s)
    emergency_skew=0
    clock_up=0
    if [ -r /proc/uptime ]; then read -r clock_up clock_rest </proc/uptime; fi
    clock_up=${clock_up%%.*}
    clock_true='' clock_off='' emergency_far='' clock_word=
    # whoever has signers of its own believes no controller what time it is: an approval would never end
    if [ -e "$signers" ]; then
        clock_word=own
        read_clock
        if [ -z "$clock_true" ] || { [ "$clock_true" -lt "$emergency_now" ] && [ -z "$emergency_far" ]; }; then clock_true=$emergency_now; fi
    elif is_count "$rf_now"; then
        clock_true=$rf_now
    else
        read_clock
    fi
    if [ -z "$clock_true" ]; then return 0; fi
    clock_skew=$((emergency_now - clock_true))
    if [ "$clock_skew" -gt "$clock_margin" ] || [ "$clock_skew" -lt "-$clock_margin" ]; then
        emergency_skew=$clock_skew
        emergency_now=$clock_true
    fi
}

# Whether a word is a number that every shell counts with: no octal one, and none that is too long.
is_count() {
    case $1 in '' | 0?* | *[!0-9]* | ????????????*) return 1 ;; *) return 0 ;; esac
}

# The controller's time now is clock_true, empty where it never told.
read_clock() {
    if ! is_plain "$state/emergency.clock"; then return 0; fi
    read -r clock_told clock_host clock_then clock_boot clock_kind <"$state/emergency.clock" || return 0
    # with a word that no arithmetic takes the shell would end, and nothing of what is kept would be cut off
    for clock_read in "$clock_told" "$clock_host" "$clock_then"; do is_count "$clock_read" || return 0; done
    case "$clock_word $clock_kind" in 'own own' | 'own far-own') ;; 'own '*) return 0 ;; esac
    read_boot
    if [ "$clock_boot" = "$boot_id" ] && [ "$clock_up" -ge "$clock_then" ]; then
        clock_true=$((clock_told + clock_up - clock_then))
        case $clock_kind in far*) emergency_far=1 ;; esac
        return 0
    fi
    # another boot: its clock is as much off as it was, unless what it says then cannot be
    clock_true=$((emergency_now - clock_host + clock_told))
    if [ "$clock_true" -gt "$((clock_told + clock_far_off))" ]; then emergency_far=1; fi
    if [ -n "$emergency_far" ] || [ "$clock_true" -lt "$clock_told" ]; then
        clock_true=$clock_told
        clock_off=$((clock_host - clock_told))
    fi
}

# keep_clock LINES: remembers beside what is kept which time it is, as the controller told or as it is known in a new boot.
keep_clock() {
    if [ -z "$1" ]; then
        rm -rf "$state/emergency.clock" 2>/dev/null
        return 0
    fi
    if [ -z "${clock_true-}" ]; then return 0; fi
    read_boot
    if [ -z "$rf_now" ] && [ "${clock_boot-}" = "$boot_id" ]; then return 0; fi
    if [ -n "$emergency_far" ]; then clock_word=far${clock_word:+-$clock_word}; fi
    # the next boot may have its right clock again
    if [ "${clock_word#*own}" != "$clock_word" ]; then clock_off=0; fi
    if [ -z "$clock_off" ]; then clock_off=$((emergency_now + emergency_skew - clock_true)); fi
    # on a full disk what was known before stays, and at the worst this host's own clock counts after a boot
    keep_text "$state/emergency.clock" "$clock_true $((clock_true + clock_off)) $clock_up $boot_id${clock_word:+ $clock_word}" || true
}

# tell_clock: says by how much this host's clock is off, where that is what something ends by.
tell_clock() {
    clock_loaded=0
    if is_plain "$runs/emergency.skew"; then read -r clock_loaded <"$runs/emergency.skew" || clock_loaded=0; fi
    is_count "${clock_loaded#-}" || clock_loaded=0
    reply clock_skew "$clock_loaded"
    if [ "$emergency_skew" != 0 ]; then
        reply warning "this host's clock is $(clock_words "$emergency_skew"): emergencies end by the controller's time"
    fi
    clock_set=$((emergency_skew - clock_loaded))
    if [ -e "$runs/emergency.iptables" ] && { [ "$clock_set" -gt "$clock_margin" ] || [ "$clock_set" -lt "-$clock_margin" ]; }; then
        reply warning "this host's clock was set since emergencies were loaded, and iptables ends them by it: quarantine or allow again"
    fi
}

clock_words() {
    clock_off=${1#-}
    clock_side='ahead of the controller'
    if [ "$clock_off" != "$1" ]; then clock_side='behind the controller'; fi
    if [ "$clock_off" -ge 7200 ]; then echo "$(((clock_off + 1800) / 3600)) hours $clock_side"; else echo "$clock_off seconds $clock_side"; fi
}
