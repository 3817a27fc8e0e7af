# Verbs: what a controller, the boot and the way back may ask of a target.

ringfence_main() {
    verb=$1
    for main_name in plan sequence expects ruleset table seconds control port processes cut check force token listing sockets plan_text signature; do
        eval "rf_$main_name=\${rf_$main_name-}"
    done
    now=
    require_root
    case $verb in
    apply | confirm | rollback | remove | refresh | status) "verb_$verb" ;;
    return) verb_return "${2-}" ;;
    boot) verb_boot ;;
    *) refuse verb "unknown verb $verb" ;;
    esac
    finish 0
}

# Ends a wait whose way back is gone: a reboot, or somebody killed it.
recover() {
    if ! read_pending; then return 0; fi
    read_boot
    if [ ! -e "$state/candidate.nft" ]; then
        rm -f "$state/pending"
    elif [ "$pending_boot" = "$boot_id" ] && [ "$verb" = confirm ]; then
        # the candidate stands; whether its way back still would is settled by this confirmation
        return 0
    elif [ "$pending_boot" != "$boot_id" ] || ! armed; then
        reply recovered "a candidate of plan $candidate_plan had lost its way back"
        go_back abandoned
    elif [ "$verb" = apply ] && [ "$candidate_plan" = "$rf_plan" ]; then
        go_back superseded
    elif [ "$verb" = apply ]; then
        refuse busy "plan $candidate_plan waits for its confirmation on this host"
    fi
}

verb_apply() {
    check_processes "$rf_processes" || refuse input "the processes of this plan are not well formed"
    if [ -n "$rf_check" ]; then
        check_state
        read_confirmed
    else
        open_state
        take_lock
        open_work
        read_confirmed
        recover
    fi
    check_order
    if [ -z "$rf_renew" ] && [ "$confirmed_ruleset" = "$rf_ruleset" ] && stands "$rf_table"; then
        take_over
        # what stands from before may be denied by it, and a plan may only now say that it ends
        if [ -z "$rf_check" ]; then cut_more; fi
        finish 0
    fi
    if [ -z "$rf_check" ]; then check_signed; fi
    if [ -n "$rf_check" ]; then
        guard_connection
        # what is refused for its size alone was understood, and would be loaded in stages
        check_said=$(nft -c -f - 2>&1) || case $check_said in
        *"Message too l"*) ;;
        *) refuse ruleset "nft on this host does not accept the ruleset" ;;
        esac
        reply changed yes
        finish 0
    fi
    # looked up before anything changes: who is allowed by name is let through again right behind the swap
    resolve_names "$rf_processes"
    track_first
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
            refuse sequence "this host holds sequence $confirmed_sequence, the plan is older: $rf_sequence"
        fi
        if [ "$rf_sequence" -eq "$confirmed_sequence" ] && [ "$rf_plan" != "$confirmed_plan" ]; then
            refuse sequence "this host holds another plan of sequence $rf_sequence: $confirmed_plan"
        fi
    fi
    if [ "$confirmed_ruleset" != "$rf_expects" ] && [ "$confirmed_ruleset" != "$rf_ruleset" ]; then
        refuse expects "this host holds ruleset ${confirmed_ruleset:-none}, the plan expects ${rf_expects:-none}: make a new plan"
    fi
}

# The same ruleset stands and is confirmed: a newer plan takes it over without touching the kernel.
take_over() {
    reply changed no
    reply state confirmed
    if [ -n "$rf_check" ] || [ "$confirmed_plan" = "$rf_plan" ]; then return 0; fi
    {
        write_head "$confirmed_applied"
        sed '/^#ringfence /d' "$state/confirmed.nft"
    } >"$work/confirmed.nft" && mv -f "$work/confirmed.nft" "$state/confirmed.nft" || refuse state "cannot write below $state"
    remember "taken-over" "$rf_plan" "$rf_sequence" "$rf_ruleset"
}

write_head() {
    printf '#ringfence format=1\n#ringfence sequence=%s\n#ringfence plan=%s\n#ringfence ruleset=%s\n#ringfence table=%s\n' \
        "$rf_sequence" "$rf_plan" "$rf_ruleset" "$rf_table"
    if [ -n "$rf_processes" ]; then printf '%s' "$rf_processes" | sed 's/^/#ringfence process /'; fi
    printf '#ringfence applied=%s\n' "$1"
}

# Reads the ruleset from standard input; what was cut short on its way has another digest.
take_candidate() {
    take_time=$(date -u '+%Y-%m-%dT%H:%M:%SZ %s')
    now=${take_time% *}
    {
        write_head "$now"
        cat
    } >"$work/candidate.nft" || refuse state "cannot write below $state"
    take_digest=$({
        # `read` takes no byte behind its line: what follows the head's last line is left to be digested
        while IFS= read -r take_line; do
            case $take_line in '#ringfence applied='*) break ;; esac
        done
        sha256sum
    } <"$work/candidate.nft")
    if [ "${take_digest%% *}" != "$rf_ruleset" ]; then refuse digest "the ruleset did not arrive whole"; fi
    printf '%s\n' "$ringfence_script" >"$work/ringfence.sh" || refuse state "cannot write below $state"
}

swap() {
    read_boot
    pending_token=$rf_token pending_boot=$boot_id pending_way=systemd
    pending_deadline=$((${take_time#* } + rf_seconds))
    # the wait comes last: from here on a command that finds it unarmed goes back
    pending_text >"$work/pending" && mv -f "$work/ringfence.sh" "$work/candidate.nft" "$work/pending" "$state/" ||
        refuse state "cannot write below $state"
    if ! arm "$rf_seconds"; then
        rm -f "$state/candidate.nft" "$state/pending"
        refuse arm "the way back cannot be armed, so nothing was changed"
    fi
    if [ -n "$table_stood" ]; then reply_denials; fi
    if ! load_table "$state/candidate.nft" "$rf_seconds"; then
        disarm
        rm -f "$state/candidate.nft" "$state/pending"
        swap_said=$(sed '/^In file included from /d' "$work/said" | head -n 2 | tr '\n' ' ')
        refuse ruleset "nft on this host does not accept the ruleset: $swap_said"
    fi
    # A process started now, this subshell, tells the time of the swap on the clock that processes are measured by.
    pending_swapped=$(read_process self && echo "$process_started")
    echo "swapped=$pending_swapped" >>"$state/pending" || {
        go_back failed
        refuse state "cannot write below $state: went back"
    }
    destroy_cut
    # behind the swap, so that none that began before it is missed
    flow_text | reply_section flows
    fill_processes "$rf_processes"
    remember applied "$rf_plan" "$rf_sequence" "$rf_ruleset"
    reply changed yes
    reply state waiting
    reply token "$pending_token"
}

verb_confirm() {
    check_state
    if [ ! -d "$state" ]; then refuse nothing "nothing waits for a confirmation on this host"; fi
    take_lock
    open_work
    read_confirmed
    recover
    if ! read_pending; then
        if [ -n "$rf_plan" ] && [ "$confirmed_plan" = "$rf_plan" ]; then
            reply changed no
            reply state confirmed
            finish 0
        fi
        refuse nothing "nothing waits for a confirmation on this host: it holds ${confirmed_plan:-no plan}"
    fi
    if [ -n "$rf_token" ] && [ "$rf_token" != "$pending_token" ]; then
        refuse token "another apply than this one waits for its confirmation"
    fi
    if [ -n "$rf_plan" ] && [ "$rf_plan" != "$candidate_plan" ]; then
        refuse plan "plan $candidate_plan waits for its confirmation, not $rf_plan"
    fi
    if ! find_connection "$rf_port"; then refuse connection "cannot find the ssh connection that this confirmation came in on"; fi
    if [ -z "$pending_swapped" ] || [ "$connection_started" -le "$pending_swapped" ]; then
        refuse connection "this connection began before the swap: it proves nothing about new ones"
    fi
    if ! stands "$candidate_table"; then
        go_back flushed
        refuse flushed "the candidate is not in the kernel any more: somebody replaced it; went back"
    fi
    if ! sync_persistence "$candidate_processes"; then
        go_back failed
        refuse persistence "cannot write the boot unit or the units' drop-ins: went back"
    fi
    sync "$state/candidate.nft" 2>/dev/null
    mv -f "$state/candidate.nft" "$state/confirmed.nft" || refuse state "cannot write below $state"
    disarm
    true >"$state/pending"
    if [ -n "$sync_changed" ]; then fill_processes "$candidate_processes"; fi
    cut_more
    remember confirmed "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
    reply changed yes
    reply state confirmed
}

verb_rollback() {
    check_state
    if [ ! -d "$state" ]; then
        reply changed no
        reply state none
        finish 0
    fi
    take_lock
    open_work
    read_confirmed
    if read_pending && [ -e "$state/candidate.nft" ]; then
        go_back "rolled-back"
        reply changed yes
    else
        reply changed no
        if [ -n "$confirmed_ruleset" ]; then reply state confirmed; else reply state none; fi
    fi
}

# Run by the timer: what it was armed for may be confirmed, or replaced by another wait, by now.
verb_return() {
    if [ ! -d "$state" ]; then finish 0; fi
    take_lock
    open_work
    read_confirmed
    if read_pending && [ "$pending_token" = "$1" ] && [ -e "$state/candidate.nft" ]; then go_back "timed-out"; fi
}

# Run at boot and after the distribution's own firewall service: only ever the confirmed table.
verb_boot() {
    if [ ! -s "$state/confirmed.nft" ]; then finish 0; fi
    if ! true >"$state/lock"; then
        # nothing can be written there this early: the table is loaded all the same
        work=/run/ringfence.$$
        mkdir -m 700 "$work" && load_confirmed
        finish $?
    fi
    take_lock
    open_work
    read_confirmed
    read_boot
    if read_pending && [ "$pending_boot" != "$boot_id" ]; then
        rm -f "$state/candidate.nft" "$state/pending"
        remember abandoned "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
        # a confirmation that the reboot cut short may have written the candidate's drop-ins
        sync_changed=
        sync_dropins "$confirmed_processes"
        if [ -n "$sync_changed" ]; then systemctl daemon-reload --no-block; fi
    fi
    if stands "$confirmed_table"; then finish 0; fi
    if load_confirmed; then
        fill_processes "$confirmed_processes"
        finish 0
    fi
    echo "ringfence: the confirmed table does not load, this host is open: $(head -n 1 "$work/said")" >&2
    remember open "$confirmed_plan" "$confirmed_sequence" "$confirmed_ruleset"
    finish 1
}

verb_remove() {
    check_state
    remove_changed=no
    if [ -d "$state" ] || [ -e "$boot_unit" ] || any_stands; then remove_changed=yes; fi
    if [ -n "$rf_check" ]; then
        reply changed "$remove_changed"
        finish 0
    fi
    if [ -d "$state" ]; then
        take_lock
        open_work
        if read_pending; then disarm; fi
    fi
    remove_persistence
    if [ -n "$sync_changed" ]; then remove_changed=yes; fi
    nft delete table inet ringfence 2>/dev/null
    nft delete table inet ringfence_track 2>/dev/null
    rm -rf "$state"
    reply changed "$remove_changed"
    reply state none
}
