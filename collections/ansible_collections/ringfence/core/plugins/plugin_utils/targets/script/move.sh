# Move: a host changes its enforcer. The table of the new one is loaded beside that of the old one, so meanwhile a packet
# passes where both let it; that of the old one goes when the new one was confirmed. Until then the script of the old one
# is kept as other.sh, beside the disk's ringfence.sh, which is the new one's: boot and the way back ask it for its table.

# find_other: other is the script that was kept, of the disk or, where that has lost it, of memory; tool is what it filters
# with. Fails where no move is on.
find_other() {
    for other in "$state/other.sh" "$runs/other.sh"; do
        if is_script "$other"; then
            tool_of "$other"
            return 0
        fi
    done
    other=
    return 1
}

is_script() {
    # shellcheck disable=SC2016 # the end of the script as it is
    case $(tail -n 2 "$1" 2>/dev/null) in *'ringfence_main "$@"; fi') ;; *) return 1 ;; esac
}

# Whether what was confirmed is of this enforcer.
reads_confirmed() {
    for reads_file in "$state/confirmed.nft" "$runs/back.nft"; do
        if [ -s "$reads_file" ]; then
            reads "$reads_file"
            return
        fi
    done
    return 1
}

# Whether what was confirmed is of the enforcer whose script was kept.
moves() {
    find_other && [ "$tool" != "$filter_tool" ] && ! reads_confirmed
}

# ask_other VERB: has the other script do it, within this one's lock.
ask_other() {
    rf_locked=1 /bin/sh "$other" "$1" </dev/null >/dev/null 2>&1 9>&-
}

# begin_move: refuses where nothing could lead back, and before anything was changed.
begin_move() {
    if other_tool; then
        other=$state/ringfence.sh
    elif ! find_other; then
        tool='another enforcer'
    fi
    if ! is_script "$other" || ! ask_other resume; then
        refuse enforcer "this host holds a table of $tool, not of $filter_tool, and $tool no longer loads it, so it could not be rolled back: run 'ringfence remove' first, then make a new plan"
    fi
    move_begins=$other
}
move_begins=

# Keeps the script of the old enforcer, before the new one's takes its place; fails where it cannot be kept.
keep_other() {
    if [ -z "$move_begins" ] || [ "$move_begins" = "$state/other.sh" ]; then return 0; fi
    cp "$move_begins" "$runs/other.sh" && cp "$move_begins" "$state/new/other.sh" &&
        cmp -s "$move_begins" "$state/new/other.sh" && mv -f "$state/new/other.sh" "$state/other.sh"
}

# end_move: the script of the enforcer whose table was confirmed stays, and nothing of the other one. Fails where that
# cannot be done yet; the next command tries again.
end_move() {
    if [ ! -e "$state/other.sh" ] && [ ! -e "$runs/other.sh" ]; then return 0; fi
    if find_other; then
        if [ "$tool" = "$filter_tool" ] || ! reads_confirmed; then
            { cp "$other" "$state/new/ringfence.sh" && cmp -s "$other" "$state/new/ringfence.sh"; } 2>/dev/null &&
                mv -f "$state/new/ringfence.sh" "$state/ringfence.sh" 2>/dev/null || return 1
        elif ! ask_other leave; then
            reply warning "the table of $tool is still in the kernel, beside that of $filter_tool: what it denied stays denied; the next apply to this host tries again to delete it"
            return 1
        fi
    fi
    rm -f "$state/other.sh" "$runs/other.sh" 2>/dev/null
}

# put_back_other: what put_back is where the confirmed table is the other enforcer's. That one stands before ours goes.
put_back_other() {
    find_back
    back_file=$state/confirmed.nft
    if ask_other resume; then back_state=restored back_words="went back to plan $confirmed_plan, of $tool"; else
        back_state=open back_words="the table is deleted, and $tool does not load the confirmed one: this host is open"
    fi
    delete_table
    read_kernel
    if [ "$kernel" != absent ]; then
        back_state=unknown back_words='could not go back yet, and tries again: our table is not deleted'
    fi
    [ "$back_state" = restored ]
}

# What one script asks of the other. `resume`: the confirmed table stands, with all that loads it at boot.
verb_resume() {
    open_work
    check_confirmed
    read_pending
    find_back
    if [ -z "$back_file" ]; then finish 1; fi
    if ! stands "$confirmed_table" && ! load_back "$back_file" "$confirmed_table"; then finish 1; fi
    fill_processes "$confirmed_processes"
    if systemd_runs && [ -e "$boot_unit" ]; then sync_persistence "$confirmed_processes" || finish 1; fi
    finish 0
}

# `leave`: nothing of this enforcer is in the kernel.
verb_leave() {
    open_work
    delete_table
    read_kernel
    if [ "$kernel" != absent ]; then finish 1; fi
    finish 0
}
