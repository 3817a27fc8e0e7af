# Verbs: what a controller, the boot and the way back may ask of a target.

ringfence_main() {
    verb=$1
    for main_name in plan sequence expects ruleset table seconds control port processes cut check force locked token listing sockets plan_text signature; do
        eval "rf_$main_name=\${rf_$main_name-}"
    done
    now=
    # what a shell's files printed before this may have left a line open
    case $verb in boot | return | hold | containers | follow | guard) ;; *) echo ;; esac
    require_root
    case $verb in
    apply | confirm | rollback | remove | refresh | status | resume | leave | emergency | hold | containers | follow) "verb_$verb" ;;
    return | guard) "verb_$verb" "${2-}" ;;
    boot) verb_boot ;;
    *) refuse verb "unknown verb $verb" ;;
    esac
    finish 0
}

# Ends a wait whose way back is gone: a reboot, somebody killed it, or the disk lost the candidate.
recover() {
    if ! read_wait; then
        if [ -s "$runs/pending" ]; then
            # taken, and cut short before this
            disarm
            forget_wait
        fi
        end_move
        return 0
    fi
    read_boot
    if [ "$pending_boot" = "$boot_id" ] && [ -z "$candidate_lost" ] && [ "$verb" = confirm ]; then
        # the candidate stands; whether its way back still would is settled by this confirmation
        return 0
    elif [ "$pending_boot" != "$boot_id" ] || [ -n "$candidate_lost" ] || ! armed; then
        reply recovered "a candidate of plan $candidate_plan had lost its way back"
        go_back abandoned || refuse unknown "$back_words"
    elif [ "$verb" = apply ] && [ -n "$pending_opened" ]; then
        # the host is open, and its way back tries in vain: a new plan is the way out
        disarm
        forget_wait
    elif [ "$verb" = apply ] && [ "$candidate_plan" = "$rf_plan" ]; then
        go_back superseded || refuse unknown "$back_words"
    elif [ "$verb" = apply ]; then
        refuse busy "plan $candidate_plan is waiting for confirmation on this host: confirm it or roll it back where it was applied, or wait until it rolls back"
    fi
}

verb_confirm() {
    check_state
    check_enforcer
    if [ ! -d "$state" ] && [ ! -s "$runs/pending" ]; then refuse nothing "nothing is waiting for confirmation on this host"; fi
    take_lock
    open_work
    read_confirmed
    recover
    if ! read_wait; then
        if [ -n "$rf_plan" ] && [ "$confirmed_plan" = "$rf_plan" ] && stands "$confirmed_table"; then
            reply changed no
            reply state confirmed
            finish 0
        fi
        refuse nothing "nothing is waiting for confirmation on this host: it holds ${confirmed_plan:-no plan}"
    fi
    if [ -n "$rf_token" ] && [ "$rf_token" != "$pending_token" ]; then
        refuse token "a different apply is waiting for confirmation"
    fi
    if [ -n "$rf_plan" ] && [ "$rf_plan" != "$candidate_plan" ]; then
        refuse plan "plan $candidate_plan is waiting for confirmation, not $rf_plan"
    fi
    confirm_connection
    if ! stands "$candidate_table"; then
        if [ "$kernel" = unknown ]; then refuse unknown "$filter_tool cannot read the kernel: the rollback stays scheduled"; fi
        go_back flushed
        refuse flushed "the candidate is no longer in the kernel: something replaced it; $back_words"
    fi
    if ! check_whole "$state/candidate.nft"; then
        go_back failed
        refuse state "$whole_said: $back_words"
    fi
    if ! sync_persistence "$candidate_processes"; then
        go_back failed
        refuse persistence "cannot write the boot unit or the units' drop-ins: $back_words"
    fi
    sync "$state/candidate.nft" "$state/ringfence.sh" 2>/dev/null
    # a head that was not what it should be was found before the swap
    if [ "$pending_back" = kept ]; then set -- body; else set --; fi
    if [ -e "$state/confirmed.nft" ] && ! check_whole "$state/confirmed.nft" "$@"; then
        reply warning "$whole_said: plan $candidate_plan replaces it, and it is kept as $state/confirmed.nft.damaged"
        ln -f "$state/confirmed.nft" "$state/confirmed.nft.damaged" 2>/dev/null
    fi
    confirm_said=$(mv -f "$state/candidate.nft" "$state/confirmed.nft" 2>&1)
    read_confirmed
    if [ "$confirmed_head" != "$candidate_head" ]; then
        go_back failed
        refuse state "cannot write below $state (${confirm_said##*: }): $back_words"
    fi
    sync "$state" 2>/dev/null
    disarm
    forget_wait
    if [ -n "$sync_changed" ]; then fill_processes "$candidate_processes"; fi
    # not before: the unit wants the confirmed file
    follow_containers "$candidate_processes" restart
    cut_more
    remember confirmed "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
    reply changed yes
    reply state confirmed
}

# A confirmation counts over a connection that began after the swap, through the control path that the candidate keeps
# open and, where the controller says one, through that as well.
confirm_connection() {
    if ! find_connection "${candidate_port:-$rf_port}"; then
        refuse connection "cannot find the ssh connection of this confirmation"
    fi
    if [ -z "$pending_swapped" ] || [ "$connection_started" -le "$pending_swapped" ]; then
        refuse connection "this connection began before the swap: it proves nothing about new ones"
    fi
    if [ -n "$candidate_control" ]; then inside_control "$candidate_control" "$candidate_port"; fi
    if [ -n "$rf_control" ]; then inside_control "$rf_control" "$rf_port"; fi
}

verb_rollback() {
    check_state
    check_enforcer
    if [ ! -d "$state" ] && [ ! -s "$runs/pending" ]; then
        read_kernel
        if [ "$kernel" = absent ]; then
            reply changed no
            reply state none
            finish 0
        fi
    fi
    take_lock
    open_work
    check_confirmed
    if read_wait; then
        if [ -n "$rf_plan" ] && [ "$rf_plan" != "$candidate_plan" ]; then
            refuse plan "plan $candidate_plan is waiting for confirmation, not $rf_plan: it is not rolled back"
        fi
        go_back "rolled-back"
        case $back_state in unknown) refuse unknown "$back_words" ;; esac
        reply changed yes
        finish 0
    fi
    read_kernel
    reply changed no
    if [ "$kernel" = unknown ]; then
        refuse unknown "$filter_tool cannot read the kernel"
    elif has_in_kernel "$confirmed_table"; then
        reply state confirmed
    elif [ "$kernel" = present ]; then
        refuse unknown "the kernel has a table without a matching state: apply a plan, or remove it"
    elif [ -n "$confirmed_ruleset" ]; then
        reply state open
        reply reason "plan $confirmed_plan is confirmed, but the kernel has no Ringfence table: apply it again"
    else
        reply state none
    fi
}

# Run by the timer: what it was armed for may be confirmed, or replaced by another wait, by now. Fails where it must be
# tried again.
verb_return() {
    take_lock
    open_work
    read_confirmed
    if read_wait && { [ -z "$pending_token" ] || [ "$pending_token" = "$1" ]; }; then go_back "timed-out" || finish 1; fi
}

verb_remove() {
    check_state
    check_enforcer
    end_emergencies
    read_kernel
    remove_changed=no
    remove_there=$(ls -A "$state" 2>/dev/null)
    if [ -d "$state" ] && { [ "$remove_there" != emergency.approved ] || ! approvals_left; }; then remove_changed=yes; fi
    if [ -d "$runs" ] || [ -e "$boot_unit" ] || [ "$kernel" != absent ]; then remove_changed=yes; fi
    if [ -n "$rf_check" ]; then
        reply changed "$remove_changed"
        finish 0
    fi
    if [ -d "$state" ] || [ -d "$runs" ]; then
        for remove_path in "$state" "$units"; do
            if [ -d "$remove_path" ] && [ ! -w "$remove_path" ]; then refuse_write "$remove_path"; fi
        done
        take_lock
        open_work
        if read_pending; then disarm; fi
    fi
    remove_persistence
    if [ -n "$sync_changed" ]; then remove_changed=yes; fi
    if find_other && [ "$tool" != "$filter_tool" ] && ! ask_other leave; then
        refuse unknown "$tool cannot delete its table: the state is kept, try again"
    fi
    delete_table
    read_kernel
    if [ "$kernel" != absent ]; then refuse unknown "$filter_tool cannot delete the Ringfence table: the state is kept, try again"; fi
    if systemd_runs; then systemctl stop 'ringfence-return-*.timer' 2>/dev/null; fi
    # a directory that is a mount of its own stays, empty but for approvals that could be used again
    remove_left=
    if leave_approvals; then
        remove_left=emergency.approved
        for remove_path in "$state"/* "$state"/.[!.]*; do
            if [ "$remove_path" != "$approval_kept" ]; then rm -rf "$remove_path" 2>/dev/null; fi
        done
        rm -rf "$runs" 2>/dev/null
    else
        rm -rf "$state" "$runs" 2>/dev/null
    fi
    if [ "$(ls -A "$state" 2>/dev/null)" != "$remove_left" ]; then refuse_write "$state"; fi
    reply changed "$remove_changed"
    reply state none
}
