# State: one lock, and files that are whole or absent.
#
# On the disk, in /var/lib/ringfence:
# confirmed.nft   the ruleset that was confirmed last, after a head of `#ringfence ` lines; nft loads it as it is
# candidate.nft   the same for a ruleset that waits for its confirmation
# answers         what names resolved to, see answers.sh
# emergency       what this host is cut off from, and let through to for a while, see emergency.sh
# history         what happened, newest last, bounded
# ringfence.sh    this script, for the boot unit and the units' drop-ins
# other.sh        that of the enforcer that this host is moved away from, see move.sh
# new/            files that are written, checked and then renamed
#
# In memory, in /run/ringfence, for one boot; the disk's directory has links to the first three:
# lock            who has it; lock.held is a link that does the same where there is no flock
# pending         what is known of the wait for a confirmation; empty for none
# work/           files of the one who holds the lock
# ringfence.sh    this script, for the way back
# back.nft        what was confirmed when the wait began, in case the disk loses it
# other.sh        the same of the disk's other.sh

locked=

# open_runs: makes what is in memory; fails where there is no room for it.
open_runs() {
    if [ -d "$runs/work" ]; then return 0; fi
    case $runs in "$state"/*) if [ ! -d "$state" ]; then mkdir -m 700 "$state" 2>/dev/null; fi ;; esac
    if [ ! -d "$runs" ]; then mkdir -m 700 "$runs" "$runs/work" 2>/dev/null; fi
    # another command may have been faster
    if [ ! -d "$runs/work" ]; then mkdir -m 700 "$runs/work" 2>/dev/null; fi
    [ -d "$runs/work" ]
}

# lock_within SECONDS FD: waits for the lock of an open file, for so long at most. Not `flock -w`: busybox has none.
lock_within() {
    if flock -n "$2" 2>/dev/null; then return 0; fi
    within_ends=$(($(date +%s) + $1))
    until flock -n "$2" 2>/dev/null; do
        if [ "$(date +%s)" -gt "$within_ends" ]; then return 1; fi
        sleep 0.05 2>/dev/null || sleep 1
    done
}

take_lock() {
    # the script that calls this one has it
    if [ -n "$rf_locked" ]; then return 0; fi
    open_runs || refuse_write "${runs%/*}"
    # a redirection that fails would end the shell at `exec`, without a reply
    if ! lock_said=$({ true >>"$runs/lock"; } 2>&1); then refuse_write "$runs" "$lock_said"; fi
    if have flock; then
        exec 9>>"$runs/lock"
        locked=flock
    else
        locked='link'
        read_process "$$"
        lock_self="$$.$process_started"
    fi
    lock_tries=0 lock_holder=
    until try_lock; do
        lock_tries=$((lock_tries + 1))
        if [ "$lock_tries" -ge 100 ]; then
            if [ "$locked" = flock ]; then read -r lock_holder <"$runs/lock"; fi
            locked=
            refuse busy "another Ringfence command${lock_holder:+ (process ${lock_holder%%[!0-9]*})} holds the lock on this host: wait until it ends, then try again"
        fi
        sleep 0.2 2>/dev/null || sleep 1
    done
}

# held_by: sets lock_holder to what the link of the lock says, PID.START; empty for no link.
held_by() {
    # shellcheck disable=SC2012 # the one portable way to read a link; its name is ours
    lock_holder=$(ls -ldn "$runs/lock.held" 2>/dev/null)
    lock_holder=${lock_holder##*-> }
}

# gone: whether the holder of the link runs no more; another process may have its number by now.
gone() {
    [ -n "$lock_holder" ] || return 1
    ! read_process "${lock_holder%%.*}" || [ "$process_started" != "${lock_holder#*.}" ]
}

try_lock() {
    if [ "$locked" = flock ]; then
        flock -n 9 || return 1
        # who waits says who has it; a memory without room takes no lock away
        { printf '%s\n' "$$" >"$runs/lock"; } 2>/dev/null
        return 0
    fi
    # A link is made in one step with its holder's name, where no other is.
    if ln -s "$lock_self" "$runs/lock.held" 2>/dev/null; then return 0; fi
    held_by
    # One at a time clears the link of a holder that was killed: the second would clear the lock of the first.
    if gone && mkdir "$runs/lock.clearing" 2>/dev/null; then
        held_by
        if gone; then rm -f "$runs/lock.held"; fi
        rmdir "$runs/lock.clearing"
    elif [ -n "$(find "$runs/lock.clearing" -prune -mmin +1 2>/dev/null)" ]; then
        rmdir "$runs/lock.clearing" 2>/dev/null
    fi
    return 1
}

leave_lock() {
    if [ "$locked" = link ]; then rm -f "$runs/lock.held"; fi
    if [ "$locked" = flock ]; then exec 9>&-; fi
    locked=
}

# Refuses directories that somebody else could have written.
check_state() {
    set --
    for check_path in "$state" "$runs"; do
        if [ -L "$check_path" ]; then refuse state "$check_path is a symbolic link"; fi
        if [ -e "$check_path" ]; then set -- "$@" "$check_path"; fi
    done
    if [ $# -eq 0 ]; then return 0; fi
    # shellcheck disable=SC2012 # ls -ldn is the one portable way to mode and owner; the names are ours
    check_listed=$(ls -ldn "$@") || refuse state "cannot read the mode of $*"
    while read -r check_mode check_links check_owner check_rest; do
        case $check_mode in
        drwx------*) ;;
        *) refuse state "${check_rest##* } has mode $check_mode: others could have changed it; it must be 0700" ;;
        esac
        if [ "$check_owner" != 0 ]; then refuse state "${check_rest##* } belongs to uid $check_owner, not to root"; fi
    done <<LISTED
$check_listed
LISTED
}

# other_tool: fails where the state is of this enforcer, or of none; else tool is what another one filters with here.
other_tool() {
    tool_of "$state/ringfence.sh"
    [ -n "$tool" ] && [ "$tool" != "$filter_tool" ]
}

tool_of() {
    tool=$(grep '^filter_tool=' "$1" 2>/dev/null)
    tool=${tool#*=}
}

# A state that another enforcer wrote is left to it: its table would go on filtering, and nobody could take it out.
check_enforcer() {
    if other_tool; then
        refuse enforcer "this host holds a table of $tool, not of $filter_tool: run 'ringfence remove' first, then make a new plan"
    fi
}

# Makes the state's directory, with a place for new files and links to what is in memory.
open_state() {
    make_state || refuse_write "$state" "$open_said"
}

# make_state: the same; fails where it cannot, with what was said in open_said.
make_state() {
    if [ ! -d "$state/new" ]; then
        if [ ! -d "${state%/*}" ]; then open_said=$(mkdir -p "${state%/*}" 2>&1) || return 1; fi
        rm -f "$state/new" 2>/dev/null
        if [ -d "$state" ]; then set --; else set -- "$state"; fi
        open_said=$(mkdir -m 700 "$@" "$state/new" 2>&1) || return 1
    fi
    if [ -L "$state/pending" ] && [ -L "$state/work" ] && [ -L "$state/lock" ]; then return 0; fi
    # an earlier release had directories here
    for open_old in "$state/work" "$state/lock.d"; do
        if [ -d "$open_old" ]; then rm -rf "$open_old" 2>/dev/null; fi
    done
    open_said=$(ln -sf "$runs/lock" "$runs/pending" "$runs/work" "$state/" 2>&1)
}

# Reads the head of a ruleset file into PREFIX_format, PREFIX_sequence, PREFIX_plan, PREFIX_ruleset, PREFIX_table,
# PREFIX_control, PREFIX_port, PREFIX_applied, PREFIX_head (its digest), PREFIX_processes (lines) and PREFIX_lines (all
# before the digest); all empty where there is no file. Says nothing of whether the file is whole.
head_keys='format sequence plan ruleset table control port applied head'
read_head() {
    head_prefix=$2
    for head_key in $head_keys processes lines; do eval "${head_prefix}_$head_key="; done
    if [ ! -r "$1" ]; then return 1; fi
    head_processes='' head_read=''
    while IFS= read -r head_line; do
        case $head_line in
        '#ringfence process '*)
            head_processes="$head_processes${head_line#\#ringfence process }
"
            ;;
        '#ringfence '*=*)
            head_key=${head_line#\#ringfence }
            head_value=${head_key#*=}
            head_key=${head_key%%=*}
            case $head_value in
            *[!A-Za-z0-9:.+\ -]*) ;;
            *) case " $head_keys " in *" $head_key "*) eval "${head_prefix}_$head_key=\$head_value" ;; esac ;;
            esac
            if [ "$head_key" = head ]; then break; fi
            ;;
        *) break ;;
        esac
        head_read="$head_read$head_line
"
    done <"$1"
    eval "${head_prefix}_processes=\$head_processes ${head_prefix}_lines=\$head_read"
}

# check_whole FILE [head|body]: whether its head and its ruleset are what the digests in the head say, or one of them;
# whole_said tells what is wrong. Reads the head into whole_*. Lines that are those of head_lines need no digest.
head_lines=
check_whole() {
    whole_said="$1 is gone"
    if [ ! -e "$1" ]; then return 1; fi
    whole_said="$1 is empty"
    if [ ! -s "$1" ]; then return 1; fi
    whole_said="$1 cannot be read"
    read_head "$1" whole || return 1
    whole_said="$1 was not written by Ringfence"
    if [ -z "$whole_format" ]; then return 1; fi
    whole_said="the head of $1 is not what was confirmed"
    if ! is_number "$whole_sequence" || [ -z "$whole_table" ]; then return 1; fi
    if [ -n "$whole_head" ] && [ "${2-}" != body ] && [ "$whole_lines" != "$head_lines" ]; then
        whole_sum=$(printf '%s' "$whole_lines" | sha256sum)
        if [ "${whole_sum%% *}" != "$whole_head" ]; then return 1; fi
    fi
    whole_said="$1 is not the ruleset that was confirmed"
    if [ "${2-}" != head ]; then
        # `read` takes no byte behind its line: what follows the head is left to be digested
        whole_sum=$({
            while IFS= read -r whole_line; do
                case $whole_line in
                '#ringfence head='*) break ;;
                '#ringfence '*) ;;
                # the head of an earlier release has no digest of its own
                *)
                    printf '%s\n' "$whole_line"
                    break
                    ;;
                esac
            done
            cat
        } <"$1" | sha256sum)
        if [ "${whole_sum%% *}" != "$whole_ruleset" ]; then return 1; fi
    fi
    whole_said=
}

# Digits, and so few that every shell can count with them.
is_number() {
    case $1 in '' | *[!0-9]* | ????????????????*) return 1 ;; esac
}

read_confirmed() {
    read_head "$state/confirmed.nft" confirmed
    case $confirmed_format in
    '' | 1) ;;
    *[!0-9]*) confirmed_format= ;;
    *) refuse state "the state on this host has format $confirmed_format, which this release does not support" ;;
    esac
}

# Reads what was confirmed and whether it is whole, or its head alone: confirmed_damaged says what is wrong with it. Of a
# head that is no longer what was written nothing is believed.
check_confirmed() {
    read_confirmed
    confirmed_damaged=
    if [ ! -e "$state/confirmed.nft" ] || check_whole "$state/confirmed.nft" ${1+"$1"}; then return 0; fi
    confirmed_damaged=$whole_said
    case $whole_said in *'is not the ruleset that was confirmed') return 1 ;; esac
    for head_key in $head_keys processes; do eval "confirmed_$head_key="; done
    return 1
}

# Reads the wait for a confirmation into pending_*; fails where nothing waits, or what is told of it is not whole.
pending_keys='token boot deadline head plan sequence ruleset table back whole way swapped opened'
read_pending() {
    for pending_key in $pending_keys; do eval "pending_$pending_key="; done
    if [ ! -s "$runs/pending" ]; then return 1; fi
    while IFS='=' read -r pending_key pending_value; do
        case $pending_value in *[!A-Za-z0-9:.+-]*) continue ;; esac
        case " $pending_keys " in *" $pending_key "*) eval "pending_$pending_key=\$pending_value" ;; esac
    done <"$runs/pending"
    if [ -n "$pending_whole" ]; then return 0; fi
    pending_token=
    return 1
}

pending_text() {
    printf 'token=%s\nboot=%s\ndeadline=%s\nhead=%s\nplan=%s\nsequence=%s\nruleset=%s\ntable=%s\nback=%s\nway=%s\nwhole=yes\n' \
        "$pending_token" "$pending_boot" "$pending_deadline" "$pending_head" "$pending_plan" "$pending_sequence" \
        "$pending_ruleset" "$pending_table" "$pending_back" "$pending_way"
}

# Whether a table waits for its confirmation, with what is known of it in pending_* and candidate_*. The file of the
# candidate may be gone (candidate_lost), and so may what is known of the wait: then it is the kernel that tells.
read_wait() {
    candidate_lost=
    read_head "$state/candidate.nft" candidate
    if read_pending; then
        if [ -n "$candidate_head" ] && [ "$candidate_head" = "$pending_head" ]; then return 0; fi
        # the confirmation was taken, and cut short behind its rename
        if [ "$pending_head" = "$confirmed_head" ]; then return 1; fi
        candidate_lost=1
        candidate_plan=$pending_plan candidate_sequence=$pending_sequence
        candidate_ruleset=$pending_ruleset candidate_table=$pending_table candidate_processes=
        return 0
    fi
    [ -n "$candidate_table" ] && [ "$candidate_table" != "$confirmed_table" ] && stands "$candidate_table"
}

forget_wait() {
    rm -f "$state/candidate.nft" 2>/dev/null
    true >"$runs/pending"
    end_move
}

read_boot() {
    boot_id=unknown
    if [ -r /proc/sys/kernel/random/boot_id ]; then read -r boot_id </proc/sys/kernel/random/boot_id; fi
    # Containers share their kernel's boot: the start of PID 1 tells one boot of theirs from the next.
    read_process 1
    boot_id=$boot_id-$process_started
}

# remember EVENT PLAN SEQUENCE RULESET: adds a line; tokens are drawn, and with one in sixteen the oldest lines go. A
# disk that takes no line takes nothing else with it.
remember() {
    if [ ! -d "$state/new" ]; then return 0; fi
    case $pending_token in
    [1-9a-f]*) ;;
    *)
        if [ -s "$state/history" ]; then
            remember_lines=$(tail -n 49 "$state/history") && keep_text "$state/history" "$remember_lines"
        fi
        ;;
    esac
    { printf '%s %s %s %s %s\n' "${now:-$(date -u +%Y-%m-%dT%H:%M:%SZ)}" "$1" "${2:--}" "${3:--}" "${4:--}" \
        >>"$state/history"; } 2>/dev/null
    return 0
}

# keep_text FILE TEXT: makes a file of the state this text and a newline, or leaves it as it is and fails.
keep_text() {
    keep_new=$state/new/${1##*/}
    # into a directory it would be moved, and a pipe would keep it waiting
    make_way "$keep_new"
    make_way "$1"
    { printf '%s\n' "$2" >"$keep_new"; } 2>/dev/null && has_size "$2" "$keep_new" && mv -f "$keep_new" "$1" 2>/dev/null && return 0
    rm -f "$keep_new" 2>/dev/null
    return 1
}

# has_size TEXT FILES...: whether each has the bytes of this text and a newline.
has_size() {
    size_wanted=$((${#1} + 1))
    shift
    size_found=$(wc -c "$@" 2>/dev/null) || return 1
    for size_file in "$@"; do
        size_found=${size_found#"${size_found%%[0-9]*}"}
        if [ "${size_found%%[!0-9]*}" != "$size_wanted" ]; then return 1; fi
        size_found=${size_found#*"$size_file"}
    done
}
