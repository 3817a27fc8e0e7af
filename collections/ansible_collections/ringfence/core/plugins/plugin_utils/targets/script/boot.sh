# Boot: the confirmed table comes back before the network, or the service fails and says so.

# Run at boot and after the distribution's own firewall service: only ever the confirmed table. Needs nothing of a disk but
# to read from it.
verb_boot() {
    if open_runs && { true >>"$runs/lock"; } 2>/dev/null; then
        take_lock
        open_work
    fi
    if moves; then
        leave_lock
        exec /bin/sh "$other" boot
    fi
    check_confirmed
    read_boot
    read_pending
    if [ "$pending_boot" != "$boot_id" ]; then boot_without_move; fi
    if [ -e "$state/candidate.nft" ] && [ "$pending_boot" != "$boot_id" ]; then boot_without_candidate; fi
    if [ -n "$confirmed_table" ] && stands "$confirmed_table"; then finish 0; fi
    if [ -z "$confirmed_damaged$confirmed_table" ]; then
        if [ ! -e "$boot_unit" ]; then finish 0; fi
        boot_open "$state/confirmed.nft is gone"
    fi
    if [ -n "$confirmed_damaged" ]; then boot_open "$confirmed_damaged"; fi
    if load_back "$state/confirmed.nft" "$confirmed_table"; then
        fill_processes "$confirmed_processes"
        finish 0
    fi
    boot_open "the confirmed table does not load (${load_said:-$filter_tool said nothing})"
}

# A reboot ended the wait: its candidate goes, and what its confirmation may have written before it was cut short.
boot_without_candidate() {
    read_head "$state/candidate.nft" candidate
    rm -f "$state/candidate.nft" 2>/dev/null
    remember abandoned "$candidate_plan" "$candidate_sequence" "$candidate_ruleset"
    if [ -n "$confirmed_damaged" ]; then return 0; fi
    sync_changed=
    if [ -z "$confirmed_table" ]; then
        # nothing was ever confirmed
        remove_persistence
        finish 0
    fi
    sync_dropins "$confirmed_processes"
    if [ -n "$sync_changed" ]; then systemctl daemon-reload --no-block; fi
}

# A reboot ended a move, too: the script and the boot unit are those of the enforcer whose table was confirmed.
boot_without_move() {
    if ! find_other || ! systemd_runs; then return 0; fi
    end_move >/dev/null || return 0
    sync_changed=
    sync_file "$boot_unit" "$(boot_unit_text)" && sync_flusher && sync_guard "$guard_unit" 'ringfence.sh guard boot' "$wipers"
    if [ -n "$sync_changed" ]; then systemctl daemon-reload --no-block; fi
}

boot_open() {
    read_kernel
    case $kernel in
    absent) boot_words='this host is open' ;;
    *) boot_words="what is in the kernel is not what was confirmed" ;;
    esac
    echo "ringfence: $1: $boot_words; apply a plan to this host again" >&2
    if [ "$kernel" = absent ]; then remember open "$confirmed_plan" "$confirmed_sequence" "$confirmed_ruleset"; fi
    finish 1
}
