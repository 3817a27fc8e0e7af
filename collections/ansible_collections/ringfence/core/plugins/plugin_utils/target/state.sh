# State: one lock, and files that are whole or absent.
#
# confirmed.nft   the ruleset that was confirmed last, after a head of `#ringfence ` lines; nft loads it as it is
# candidate.nft   the same for a ruleset that waits for its confirmation
# pending         what is known of that wait: token, boot, deadline, time of the swap, the armed way back; empty for none
# answers         what names resolved to, see answers.sh
# history         what happened, newest last, bounded
# work/           files of the one who holds the lock

locked=

take_lock() {
    # a redirection that fails would end the shell at `exec`, without a reply
    if ! true >>"$state/lock"; then refuse state "cannot write below $state"; fi
    if have flock; then
        exec 9>"$state/lock"
        locked=flock
    else
        locked='mkdir'
    fi
    lock_tries=0
    until try_lock; do
        lock_tries=$((lock_tries + 1))
        if [ "$lock_tries" -ge 100 ]; then
            locked=
            refuse busy "another Ringfence command holds the lock of this host"
        fi
        sleep 0.2 2>/dev/null || sleep 1
    done
}

try_lock() {
    if [ "$locked" = flock ]; then
        flock -n 9
        return
    fi
    if mkdir "$state/lock.d" 2>/dev/null; then
        printf '%s\n' "$$" >"$state/lock.d/pid"
        return 0
    fi
    lock_holder=
    if [ -r "$state/lock.d/pid" ]; then read -r lock_holder <"$state/lock.d/pid"; fi
    # A holder that was killed leaves its directory; one that is just writing its pid gets the next round.
    if [ -n "$lock_holder" ] && [ ! -d "/proc/$lock_holder" ]; then rm -rf "$state/lock.d"; fi
    return 1
}

leave_lock() {
    if [ "$locked" = mkdir ]; then rm -rf "$state/lock.d"; fi
    if [ "$locked" = flock ]; then exec 9>&-; fi
    locked=
}

# Refuses a state directory that somebody else could have written.
check_state() {
    if [ -L "$state" ]; then refuse state "$state is a symbolic link"; fi
    if [ ! -e "$state" ]; then return 0; fi
    # shellcheck disable=SC2012 # ls -ldn is the one portable way to mode and owner; the name is ours
    # shellcheck disable=SC2046 # a list of words
    set -- $(ls -ldn "$state")
    case $1 in
    drwx------*) ;;
    *) refuse state "$state has mode $1: others may have written it; it must be 0700" ;;
    esac
    if [ "$3" != 0 ]; then refuse state "$state belongs to uid $3, not to root"; fi
}

open_state() {
    check_state
    if [ ! -d "$state" ]; then
        if [ ! -d "${state%/*}" ]; then mkdir -p "${state%/*}"; fi
        mkdir -m 700 "$state" "$state/work" || refuse state "cannot make $state"
    fi
}

# Reads the head of a ruleset file into PREFIX_format, PREFIX_sequence, PREFIX_plan, PREFIX_ruleset, PREFIX_table,
# PREFIX_applied and PREFIX_processes (lines); all empty where there is no file.
read_head() {
    head_prefix=$2
    for head_key in format sequence plan ruleset table applied processes; do eval "${head_prefix}_$head_key="; done
    if [ ! -r "$1" ]; then return 1; fi
    head_processes=
    while IFS= read -r head_line; do
        case $head_line in
        '#ringfence process '*)
            head_processes="$head_processes${head_line#\#ringfence process }
"
            ;;
        '#ringfence '*=*)
            head_line=${head_line#\#ringfence }
            head_value=${head_line#*=}
            case $head_value in *[!A-Za-z0-9:.+-]*) continue ;; esac
            case ${head_line%%=*} in
            format | sequence | plan | ruleset | table | applied)
                eval "${head_prefix}_${head_line%%=*}=\$head_value"
                ;;
            esac
            ;;
        *) break ;;
        esac
    done <"$1"
    eval "${head_prefix}_processes=\$head_processes"
}

read_confirmed() {
    read_head "$state/confirmed.nft" confirmed
    case $confirmed_format in
    '' | 1) ;;
    *) refuse state "the state on this host is of format $confirmed_format, which this release does not know" ;;
    esac
    if [ -e "$state/confirmed.nft" ] && [ -z "$confirmed_format" ]; then
        refuse state "$state/confirmed.nft was not written by Ringfence"
    fi
}

# Reads the wait for a confirmation into pending_*; fails where nothing waits.
read_pending() {
    pending_token='' pending_boot='' pending_deadline='' pending_swapped='' pending_way=''
    if [ ! -s "$state/pending" ]; then return 1; fi
    while IFS='=' read -r pending_key pending_value; do
        case $pending_value in *[!A-Za-z0-9:.+-]*) continue ;; esac
        case $pending_key in
        token | boot | deadline | swapped | way) eval "pending_$pending_key=\$pending_value" ;;
        esac
    done <"$state/pending"
    read_head "$state/candidate.nft" candidate
}

pending_text() {
    printf 'token=%s\nboot=%s\ndeadline=%s\nway=%s\n' \
        "$pending_token" "$pending_boot" "$pending_deadline" "$pending_way"
}

read_boot() {
    boot_id=unknown
    if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot_id </proc/sys/kernel/random/boot_id; fi
    # Containers share their kernel's boot: the start of PID 1 tells one boot of theirs from the next.
    read_process 1
    boot_id=$boot_id-$process_started
}

# remember EVENT PLAN SEQUENCE RULESET: adds a line; tokens are drawn, and with one in sixteen the oldest lines go.
remember() {
    case $pending_token in
    [1-9a-f]*) ;;
    *)
        if [ -s "$state/history" ]; then
            tail -n 49 "$state/history" >"$work/history" && mv -f "$work/history" "$state/history"
        fi
        ;;
    esac
    printf '%s %s %s %s %s\n' "${now:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}" "$1" "${2:--}" "${3:--}" "${4:--}" \
        >>"$state/history"
}
