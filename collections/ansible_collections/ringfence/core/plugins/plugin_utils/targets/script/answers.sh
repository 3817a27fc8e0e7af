# Answers: what the names of a policy resolve to on this host becomes elements of the table's dynamic sets.
#
# answers         `NAME ADDRESS SECONDS` a line, newest first: who was an answer, and when (since the epoch) at last

# Seconds that an answer stands unless it is given again, and the bounds of what a name may fill in: at most so many
# addresses of a family by one look-up and in all, which is less than a set holds.
answer_stands=3600
answer_once=16
answer_most=200
answers_held=
answer_timer=/etc/systemd/system/ringfence-answers.timer

has_names() {
    case "
$1" in
    *"
fqdn "*) return 0 ;;
    *) return 1 ;;
    esac
}

# resolve_names LINES: looks up every name of the process lines, all at once, and keeps what was answered. The host's own
# resolver is asked: its applications connect to what it says. A name without an answer keeps those it had.
resolve_names() {
    if ! has_names "$1"; then return 0; fi
    if ! have getent; then
        reply answers "there is no getent command here: names have no answers"
        return 0
    fi
    rm -rf "$work/answers"
    mkdir "$work/answers" || refuse_write "$work"
    resolve_limit=
    if have timeout; then resolve_limit='timeout 5'; fi
    resolve_each=$(printf '%s' "$1" | awk '$1 == "fqdn" && !seen[$2]++ { print $2 }')
    set --
    for resolve_name in $resolve_each; do
        # shellcheck disable=SC2086 # two words or none
        $resolve_limit getent ahosts "$resolve_name" >"$work/answers/$resolve_name" 2>/dev/null </dev/null 9>&- &
        set -- "$@" $!
    done
    # only these: the way back may be a child of this shell too
    for resolve_child in "$@"; do wait "$resolve_child"; done
    resolve_held=$state/answers
    if [ ! -e "$resolve_held" ]; then resolve_held=/dev/null; fi
    resolve_kept=$(
        cd "$work/answers" && awk -v now="$(date +%s)" -v stands="$answer_stands" -v once="$answer_once" -v most="$answer_most" \
            -v held="$resolve_held" '
            # no address that only this host, this link or many hosts have (RFC 1122, 3927, 5771, 4291)
            function usable4(text,    part, i) {
                if (split(text, part, ".") != 4) return 0
                for (i = 1; i <= 4; i++) if (part[i] !~ /^[0-9][0-9]?[0-9]?$/ || part[i] + 0 > 255) return 0
                if (part[1] + 0 == 169 && part[2] + 0 == 254) return 0
                return part[1] + 0 != 0 && part[1] + 0 != 127 && part[1] + 0 < 224
            }
            function usable6(text,    part, groups, i) {
                if (text !~ /^[0-9a-f:]+$/ || text ~ /^::/ || text ~ /^f[ef]/ || text ~ /:::/ || text ~ /::.*::/) return 0
                groups = split(text, part, ":")
                if (groups > 8 || (groups < 8 && text !~ /::/)) return 0
                for (i = 1; i <= groups; i++) if (length(part[i]) > 4) return 0
                return 1
            }
            function keep(name, address, time, bound,    family) {
                family = address ~ /:/ ? 6 : 4
                if ((name, address) in kept || count[name, family] >= bound) return
                kept[name, address] = 1
                count[name, family]++
                print name, address, time
            }
            FILENAME == held { old[++olds] = $0; next }
            usable4($1) || usable6($1) { keep(substr(FILENAME, 3), $1, now, once) }
            END {
                for (i = 1; i <= olds; i++) {
                    split(old[i], field, " ")
                    if (field[3] <= now && now - field[3] < stands) keep(field[1], field[2], field[3], most)
                }
            }' "$resolve_held" ./*
    ) || refuse_write "$work"
    if keep_text "$state/answers" "$resolve_kept"; then return 0; fi
    if [ "$verb" != refresh ]; then refuse_write "$state"; fi
    # the kernel is told all the same
    answers_held=$work/answers.held
    { printf '%s\n' "$resolve_kept" >"$answers_held"; } 2>/dev/null && has_size "$resolve_kept" "$answers_held" ||
        refuse_write "$work"
    reply answers "what names resolve to is enforced, and cannot be kept below $state: the disk takes nothing"
}

# fill_reply LINES COMMANDS: gives the commands to the kernel, of which each says at its end, behind ` # `, whose answer it
# fills in, and replies what became of every name of the process lines.
fill_reply() {
    if [ -n "$2" ] && ! fill_said=$(printf '%s\n' "$2" | load_answers 2>&1); then
        reply answers "not filled in: ${fill_said%%"
"*}"
        return 0
    fi
    for answer_name in $(printf '%s' "$1" | awk '$1 == "fqdn" && !seen[$2]++ { print $2 }'); do
        case "$2
" in
        *" # $answer_name
"*) reply process "fqdn $answer_name: enforced" ;;
        *) reply process "fqdn $answer_name: this host gets no answer; nothing is a member yet" ;;
        esac
    done
}

# A timer looks the names up again and again, because no daemon of ours runs. Called with the confirmed process lines.
sync_answers() {
    if ! has_names "$1"; then
        remove_answers
        return 0
    fi
    sync_file "${answer_timer%.timer}.service" "[Unit]
Description=Ringfence: what the names of its policy resolve to
ConditionPathExists=$state/confirmed.nft
After=ringfence.service network-online.target

[Service]
Type=oneshot
ExecStart=/bin/sh $state/ringfence.sh refresh" || return 1
    sync_file "$answer_timer" "[Unit]
Description=Ringfence: looks up the names of its policy

[Timer]
OnBootSec=15
OnUnitInactiveSec=300
AccuracySec=5

[Install]
WantedBy=timers.target" || return 1
    sync_wanted timers.target "${answer_timer##*/}" || return 1
}

remove_answers() {
    if [ ! -e "$answer_timer" ]; then return 0; fi
    if systemd_runs; then
        # one that waits for our lock would find nothing, and stay behind as a unit that failed
        answer_unit=${answer_timer##*/}
        systemctl stop "$answer_unit" "${answer_unit%.timer}.service" 2>/dev/null
        systemctl reset-failed "${answer_unit%.timer}.service" 2>/dev/null
    fi
    rm -f "$answer_timer" "${answer_timer%.timer}.service" "$units/timers.target.wants/${answer_timer##*/}"
    sync_changed=1
}

verb_refresh() {
    check_state
    check_enforcer
    if [ ! -d "$state" ]; then
        reply state none
        finish 0
    fi
    take_lock
    open_work
    read_confirmed
    refresh_lines=$confirmed_processes
    if read_wait && stands "$candidate_table"; then refresh_lines=$candidate_processes; fi
    resolve_names "$refresh_lines"
    fill_answers "$refresh_lines"
    fill_containers "$refresh_lines"
    reply state refreshed
}
