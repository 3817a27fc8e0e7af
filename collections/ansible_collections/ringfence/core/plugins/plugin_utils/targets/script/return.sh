# The way back: armed before anything changes, it puts the confirmed table back unless a confirmation comes first, and
# tries until the kernel was read to have it.

# arm SECONDS: fails with nothing armed. $runs/pending says `systemd`; another way is added to it.
arm() {
    # Where both copies of this script are lost nothing is left to go back to: open, but not locked out. Without any `$`,
    # which systemd would expand.
    arm_command="if [ -s $runs/ringfence.sh ]; then exec /bin/sh $runs/ringfence.sh return $pending_token; fi
if [ -s $state/ringfence.sh ]; then exec /bin/sh $state/ringfence.sh return $pending_token; fi
$(open_command "$pending_table")"
    if [ -d /run/systemd/system ] && have systemd-run && systemd-run --quiet \
        --unit="ringfence-return-$pending_token" --description="Ringfence: back to the confirmed table" \
        --on-active="$1s" --timer-property=AccuracySec=100ms --collect \
        --property=Restart=on-failure --property=RestartSec=3 \
        /bin/sh -c "$arm_command" >/dev/null 2>&1; then
        return 0
    fi
    # shellcheck disable=SC2016 # expanded by the shell that is started
    set -- sh -c 'trap "" HUP; sleep "$1"; until sh -c "$2"; do sleep 3; done' sh "$1" "$arm_command"
    if have setsid; then set -- setsid "$@"; fi
    "$@" </dev/null >/dev/null 2>&1 8>&- 9>&- &
    pending_way=$!
    kill -0 "$pending_way" 2>/dev/null && echo "way=$pending_way" >>"$runs/pending"
}

armed() {
    case $pending_way in
    '') return 1 ;;
    systemd)
        # `activating`: it waits to try again
        case "
$(systemctl is-active "ringfence-return-$pending_token.timer" "ringfence-return-$pending_token.service" 2>/dev/null)
" in
        *"
active
"* | *"
activating
"*) return 0 ;;
        *) return 1 ;;
        esac
        ;;
    *) grep -q "$pending_token" "/proc/$pending_way/cmdline" 2>/dev/null ;;
    esac
}

# The way back must not end itself: when it runs, its timer has already fired, and its process waits for it.
disarm() {
    if [ "$verb" = return ]; then return 0; fi
    case $pending_way in
    '') ;;
    systemd) systemctl stop --no-block "ringfence-return-$pending_token.timer" 2>/dev/null ;;
    *)
        if grep -q "$pending_token" "/proc/$pending_way/cmdline" 2>/dev/null; then
            # the sleep is its child and, with setsid, of its group
            kill -- "-$pending_way" 2>/dev/null || kill "$pending_way" 2>/dev/null
        fi
        ;;
    esac
    return 0
}

# keep_back: what the way back needs stays in memory for as long as a table waits, in case the disk loses it.
keep_back() {
    printf '%s\n' "$ringfence_script" >"$runs/ringfence.sh" || return 1
    pending_back=none
    if [ -e "$state/confirmed.nft" ]; then
        pending_back=lost
        if [ -z "$confirmed_damaged" ] && cp "$state/confirmed.nft" "$runs/back.nft" 2>/dev/null; then pending_back=kept; fi
    fi
    if [ "$pending_back" != kept ]; then rm -f "$runs/back.nft"; fi
}

# find_back: back_file is what to go back to, with confirmed_* read from it, or nothing; back_lost says why there is
# nothing although a table was confirmed.
find_back() {
    back_file=$state/confirmed.nft back_lost=
    check_confirmed
    if [ -z "$confirmed_damaged" ] && [ -n "$confirmed_table" ]; then return 0; fi
    if [ "$pending_back" = kept ] && check_whole "$runs/back.nft"; then
        back_file=$runs/back.nft
        read_head "$back_file" confirmed
        return 0
    fi
    back_file=
    back_lost=$confirmed_damaged
    case $pending_back in kept | lost) back_lost=${back_lost:-"$state/confirmed.nft is gone"} ;; esac
}

# put_back: puts the last confirmed table into the kernel, and takes ours out where there is none. back_state is what the
# kernel was then read to have: `restored`, `none` (nothing was ever confirmed), `open`, or `unknown`; back_words says it.
# Succeeds where nothing more can be done.
put_back() {
    back_other=
    if moves; then
        back_other=1
        put_back_other
        return
    fi
    find_back
    back_why=$back_lost
    if [ -n "$back_file" ]; then
        if load_back "$back_file" "$confirmed_table"; then
            back_state=restored back_words="went back to plan $confirmed_plan"
            return 0
        fi
        back_why="the confirmed table does not load (${load_said:-$filter_tool said nothing})"
        if [ "$kernel" = unknown ] && [ -n "$load_done" ]; then
            # nothing speaks against it but that nobody tells
            back_state=unknown back_words="the confirmed table was loaded, and $filter_tool does not tell whether it stands; tries again"
            return 1
        fi
    elif [ -n "$confirmed_table" ] && stands "$confirmed_table"; then
        # what cannot be loaded again was not replaced either
        back_state=restored back_words="still has plan $confirmed_plan in the kernel, but $back_lost"
        return 0
    fi
    delete_table
    read_kernel
    if [ "$kernel" != absent ]; then
        back_state=unknown back_words="could not go back yet, and tries again: ${back_why:-our table is not deleted}"
        return 1
    fi
    if [ -z "$back_why" ]; then
        back_state=none back_words='went back to no table: nothing was confirmed before'
        return 0
    fi
    back_state=open back_words="the table is deleted, this host is open: $back_why"
    [ -z "$back_file" ]
}

# go_back WHY: ends the wait (WHY is the word for it) and replies what the kernel was read to have. Where the confirmed
# table is not there again the wait stays, its way back armed, and this fails.
go_back() {
    if ! put_back; then
        reply state "$back_state"
        reply reason "$back_words"
        if [ "$back_state" = open ] && [ -z "$pending_opened" ]; then
            remember open "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
            echo 'opened=yes' >>"$runs/pending"
        fi
        if [ "$verb" != return ] && ! armed; then rearm; fi
        return 1
    fi
    reply state "$back_state"
    if [ "$back_state" = open ]; then reply reason "$back_words"; fi
    if [ "$back_state" = restored ] && [ -z "$back_other" ]; then fill_processes "$confirmed_processes"; fi
    if [ -n "$back_file" ] && [ "$back_file" != "$state/confirmed.nft" ]; then restore_state; fi
    if [ -z "$back_other" ] && systemd_runs && [ -e "$boot_unit" ]; then
        case $back_state in
        restored) sync_persistence "$confirmed_processes" || reply persistence 'the boot unit or a drop-in could not be written' ;;
        none) remove_persistence ;;
        esac
    fi
    disarm
    forget_wait
    if [ "$back_state" = open ]; then set -- open; fi
    remember "$1" "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
}

# A wait whose way back is gone gets another.
rearm() {
    if [ -z "$pending_token" ]; then return 1; fi
    arm 3
}

# Puts back what the disk has lost and memory still has; what cannot be written is left to the next plan.
restore_state() {
    if [ ! -d "$state" ]; then mkdir -m 700 "$state" 2>/dev/null; fi
    if [ ! -d "$state/new" ]; then mkdir -m 700 "$state/new" 2>/dev/null; fi
    if [ -e "$state/confirmed.nft" ]; then ln -f "$state/confirmed.nft" "$state/confirmed.nft.damaged" 2>/dev/null; fi
    if cp "$runs/back.nft" "$state/new/confirmed.nft" 2>/dev/null && check_whole "$state/new/confirmed.nft" &&
        cp "$runs/ringfence.sh" "$state/new/ringfence.sh" 2>/dev/null && cmp -s "$runs/ringfence.sh" "$state/new/ringfence.sh"; then
        mv -f "$state/new/confirmed.nft" "$state/new/ringfence.sh" "$state/" 2>/dev/null
    fi
}
