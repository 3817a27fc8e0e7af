# Apply: a plan is checked, kept, and swapped in to wait for its confirmation.

# What is compared, or becomes part of a name, has the form that it must have.
check_form() {
    check_processes "$rf_processes" || refuse input "the processes of this plan are not valid"
    if ! is_number "$rf_sequence"; then refuse input "the plan's sequence is not a number of at most 15 digits: $rf_sequence"; fi
    for form_value in "$rf_plan" "$rf_ruleset" "$rf_table" "$rf_expects" "$rf_token"; do
        case $form_value in *[!0-9a-f]*) refuse input "not a digest: $form_value" ;; esac
    done
    if ! is_number "$rf_port" || ! is_number "${rf_seconds:-0}"; then
        refuse input "the port or the time to confirm is not a number: $rf_port, $rf_seconds"
    fi
    case $rf_control in *[!0-9A-F\ -]*) refuse input "the control path is not valid" ;; esac
}

verb_apply() {
    check_form
    check_state
    if [ -z "$rf_check" ]; then take_lock; fi
    open_work
    if other_tool && read_pending; then
        refuse enforcer "plan $pending_plan of $tool is waiting for confirmation on this host: confirm it or roll it back first"
    fi
    # nothing of a plan is used before its signature was checked
    check_signed
    if [ -z "$rf_check" ]; then open_state; fi
    check_confirmed head
    if [ "$confirmed_ruleset" = "$rf_ruleset" ]; then check_confirmed; fi
    if [ -z "$rf_check" ]; then recover; fi
    check_order
    if [ -z "$rf_renew$confirmed_damaged" ] && [ "$confirmed_ruleset" = "$rf_ruleset" ] && stands "$rf_table"; then
        take_over
        # what stands from before may be denied by it, and a plan may only now say that it ends
        if [ -z "$rf_check" ]; then
            cut_more
            fill_containers "$rf_processes"
        fi
        finish 0
    fi
    if [ -n "$confirmed_damaged" ]; then check_enforcer; fi
    if [ -n "$rf_check" ]; then
        guard_connection
        check_ruleset || refuse ruleset "$filter_tool on this host does not accept the ruleset"
        reply changed yes
        finish 0
    fi
    if [ -z "$confirmed_damaged" ]; then
        if [ -n "$confirmed_ruleset" ] && ! reads "$state/confirmed.nft"; then begin_move; fi
        if [ -z "$confirmed_ruleset" ] && other_tool; then
            # nothing was confirmed, so there is nothing to go back to
            other=$state/ringfence.sh
            ask_other leave || check_enforcer
        fi
    fi
    # looked up before anything changes: who is allowed by name is let through again right behind the swap
    resolve_names "$rf_processes"
    move_before "$confirmed_processes"
    track_first
    warn_of_tracking
    guard_connection "$work/sockets"
    if [ -n "$track_until" ]; then flow_text >>"$work/sockets"; fi
    take_candidate
    swap
}

# Refuses what is older than, or does not follow from, what this host holds.
check_order() {
    reply held "$confirmed_ruleset"
    if [ -n "$confirmed_sequence" ]; then
        if [ "$rf_sequence" -lt "$confirmed_sequence" ]; then
            refuse sequence "this host holds sequence $confirmed_sequence, but the plan is older: $rf_sequence"
        fi
        if [ "$rf_sequence" -eq "$confirmed_sequence" ] && [ "$rf_plan" != "$confirmed_plan" ]; then
            refuse sequence "this host holds a different plan with sequence $rf_sequence: $confirmed_plan"
        fi
    fi
    if [ -n "$confirmed_damaged" ] && [ -z "$confirmed_ruleset" ]; then
        # what it held is lost; what it has known of is still not taken again
        order_floor=$(awk '$2 == "confirmed" || $2 == "taken-over" { floor = $4 } END { print floor }' "$state/history" 2>/dev/null)
        if is_number "$order_floor" && [ "$rf_sequence" -lt "$order_floor" ]; then
            refuse sequence "this host held sequence $order_floor, but the plan is older: $rf_sequence"
        fi
        return 0
    fi
    if [ "$confirmed_ruleset" != "$rf_expects" ] && [ "$confirmed_ruleset" != "$rf_ruleset" ]; then
        refuse expects "this host holds ruleset ${confirmed_ruleset:-none}, but the plan expects ${rf_expects:-none}: make a new plan"
    fi
}

# The same ruleset stands and is confirmed: a newer plan takes it over without touching the kernel.
take_over() {
    if [ -z "$rf_check" ] && [ "$confirmed_plan" != "$rf_plan" ]; then
        take_new=$state/new/confirmed.nft
        make_head "$confirmed_applied"
        take_said=$({
            printf '%s#ringfence head=%s\n' "$head_lines" "$head_sum" && sed '/^#ringfence /d' "$state/confirmed.nft"
        } 2>&1 >"$take_new") && check_whole "$take_new" && take_said=$(mv -f "$take_new" "$state/" 2>&1) ||
            refuse_write "$state" "$take_said"
        remember "taken-over" "$rf_plan" "$rf_sequence" "$rf_ruleset"
    fi
    reply changed no
    reply state confirmed
}

# make_head TIME: the head of a ruleset's file, its lines in head_lines, their digest in head_sum.
make_head() {
    head_lines=$(
        printf '#ringfence format=1\n#ringfence sequence=%s\n#ringfence plan=%s\n#ringfence ruleset=%s\n#ringfence table=%s\n' \
            "$rf_sequence" "$rf_plan" "$rf_ruleset" "$rf_table"
        printf '#ringfence control=%s\n#ringfence port=%s\n' "$rf_control" "$rf_port"
        if [ -n "$rf_processes" ]; then printf '%s' "$rf_processes" | sed 's/^/#ringfence process /'; fi
        printf '#ringfence applied=%s\n' "$1"
    )
    head_lines="$head_lines
"
    head_sum=$(printf '%s' "$head_lines" | sha256sum)
    head_sum=${head_sum%% *}
}

# Reads the ruleset from standard input; what was cut short on its way, or on the disk, has another digest.
take_candidate() {
    take_time=$(date -u '+%Y-%m-%dT%H:%M:%SZ %s')
    now=${take_time% *}
    take_new=$state/new/candidate.nft
    # a redirection that fails is said by the shell itself
    make_head "$now"
    take_said=$({ { printf '%s#ringfence head=%s\n' "$head_lines" "$head_sum" && cat; } >"$take_new"; } 2>&1) || refuse_write "$state" "$take_said"
    if ! check_whole "$take_new"; then
        case $whole_said in *'is not the ruleset'*) refuse digest "the ruleset was not transferred completely" ;; esac
        refuse_write "$state"
    fi
    { printf '%s\n' "$ringfence_script" >"$state/new/ringfence.sh"; } 2>/dev/null
    { keep_back; } 2>/dev/null || refuse_write "$runs"
    if ! has_size "$ringfence_script" "$runs/ringfence.sh" "$state/new/ringfence.sh"; then
        if has_size "$ringfence_script" "$runs/ringfence.sh"; then refuse_write "$state"; else refuse_write "$runs"; fi
    fi
}

swap() {
    read_boot
    pending_token=$rf_token pending_boot=$boot_id pending_way=systemd
    pending_deadline=$((${take_time#* } + rf_seconds))
    pending_head=$whole_head pending_plan=$rf_plan pending_sequence=$rf_sequence
    pending_ruleset=$rf_ruleset pending_table=$rf_table
    candidate_plan=$rf_plan candidate_sequence=$rf_sequence candidate_ruleset=$rf_ruleset candidate_table=$rf_table
    { keep_other; } 2>/dev/null || refuse_write "$state"
    swap_said=$(mv -f "$state/new/ringfence.sh" "$state/new/candidate.nft" "$state/" 2>&1) || {
        end_move
        refuse_write "$state" "$swap_said"
    }
    # the wait comes last: from here on a command that finds it unarmed goes back
    if ! { pending_text >"$runs/pending"; } 2>/dev/null || ! read_pending; then
        forget_wait
        refuse_write "$runs"
    fi
    if ! arm "$rf_seconds"; then
        forget_wait
        refuse arm "the rollback cannot be scheduled, so nothing was changed"
    fi
    if [ -n "$table_stood" ]; then reply_denials; fi
    admit_control
    swap_loaded=1
    load_table "$state/candidate.nft" "$rf_seconds" || swap_loaded=
    if ! stands "$rf_table"; then
        swap_failed
    elif [ -z "$swap_loaded" ] && [ "$confirmed_table" = "$rf_table" ]; then
        # the host's own table stands from before, and tells nothing of those of its containers
        kernel=unknown
        swap_failed
    fi
    # A process started now, this subshell, tells the time of the swap on the clock that processes are measured by.
    pending_swapped=$(read_process self && echo "$process_started")
    if ! { echo "swapped=$pending_swapped" >>"$runs/pending"; } 2>/dev/null; then
        go_back failed
        refuse state "cannot write below $runs: $back_words"
    fi
    destroy_cut
    # behind the swap, so that none that began before it is missed
    flow_text | reply_section flows
    fill_processes "$rf_processes"
    remember applied "$rf_plan" "$rf_sequence" "$rf_ruleset"
    reply changed yes
    reply state waiting
    reply token "$pending_token"
}

# The candidate does not stand: nothing changed, unless the kernel tells something else, or nothing.
swap_failed() {
    swap_said=$(sed '/^In file included from /d' "$work/said" 2>/dev/null | head -n 2 | tr '\n' ' ')
    if [ "$kernel" = absent ] && [ -n "$table_stood" ]; then kernel=unknown; fi
    if [ -n "$load_torn" ]; then kernel=unknown; fi
    if [ "$kernel" = unknown ]; then
        go_back failed
        refuse unknown "$filter_tool failed in the middle of the swap ($swap_said): $back_words"
    fi
    disarm
    forget_wait
    if [ -z "$load_written" ]; then refuse_write "$runs"; fi
    refuse ruleset "$filter_tool on this host does not accept the ruleset: $swap_said"
}
