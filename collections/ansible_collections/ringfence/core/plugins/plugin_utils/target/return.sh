# The way back: armed before anything changes, it puts the confirmed table back unless a confirmation comes first.

# arm SECONDS: fails with nothing armed. $state/pending says `systemd`; another way is added to it.
arm() {
    if [ -d /run/systemd/system ] && have systemd-run && systemd-run --quiet \
        --unit="ringfence-return-$pending_token" --description="Ringfence: back to the confirmed table" \
        --on-active="$1s" --timer-property=AccuracySec=100ms --collect \
        /bin/sh "$state/ringfence.sh" return "$pending_token" >/dev/null 2>&1; then
        return 0
    fi
    # shellcheck disable=SC2016 # expanded by the shell that is started
    set -- sh -c 'trap "" HUP; sleep "$1"; exec sh "$2/ringfence.sh" return "$3"' sh "$1" "$state" "$pending_token"
    if have setsid; then set -- setsid "$@"; fi
    "$@" </dev/null >/dev/null 2>&1 9>&- &
    pending_way=$!
    kill -0 "$pending_way" 2>/dev/null && echo "way=$pending_way" >>"$state/pending"
}

armed() {
    case $pending_way in
    '') return 1 ;;
    systemd) systemctl is-active --quiet "ringfence-return-$pending_token.timer" "ringfence-return-$pending_token.service" ;;
    *) grep -q "$pending_token" "/proc/$pending_way/cmdline" 2>/dev/null ;;
    esac
}

# The way back must not end itself: when it runs, its timer has already fired.
disarm() {
    case $pending_way in
    '') ;;
    systemd) systemctl stop --no-block "ringfence-return-$pending_token.timer" 2>/dev/null ;;
    "$$") ;;
    *)
        if grep -q "$pending_token" "/proc/$pending_way/cmdline" 2>/dev/null; then
            # the sleep is its child and, with setsid, of its group
            kill -- "-$pending_way" 2>/dev/null || kill "$pending_way" 2>/dev/null
        fi
        ;;
    esac
    return 0
}

# Puts the last confirmed table back, ends the wait, and replies what stands now. Says why in one word.
go_back() {
    if [ -s "$state/confirmed.nft" ]; then
        if load_confirmed; then
            reply state restored
            fill_processes "$confirmed_processes"
        else
            reply state open
            reply reason "the confirmed table does not load ($(head -n 1 "$work/said")): the table is deleted, this host is open"
        fi
    else
        nft delete table inet ringfence 2>/dev/null
        nft delete table inet ringfence_track 2>/dev/null
        reply state none
    fi
    rm -f "$state/candidate.nft"
    if systemd_runs && [ -e "$boot_unit" ]; then
        if [ -s "$state/confirmed.nft" ]; then sync_persistence "$confirmed_processes"; else remove_persistence; fi
    fi
    disarm
    rm -f "$state/pending"
    remember "$1" "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
}
