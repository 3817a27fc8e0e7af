# Replies: what the target tells its controller, one `ringfence:key=value` a line, sections between begin and end.

LC_ALL=C
export LC_ALL
PATH=/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
export PATH
umask 077

state=/var/lib/ringfence
# What only this boot needs lies in memory, so that no disk, full, read-only or wiped, stands in the way back. A host
# without /run has it beside the state.
runs=/run/ringfence
if [ ! -d /run ]; then runs=$state/run; fi
work=

# A value is one line; whatever would break it becomes a space.
reply() {
    reply_value=$2
    case $reply_value in
    *[[:cntrl:]]*) reply_value=$(printf '%s' "$reply_value" | tr '[:cntrl:]' ' ') ;;
    esac
    printf 'ringfence:%s=%s\n' "$1" "$reply_value"
}

# Copies standard input into the reply under a name.
reply_section() {
    section_begins "$1"
    cat
    section_ends "$1"
}

# What is printed between the two is the section: three processes fewer than a pipe.
section_begins() {
    printf 'ringfence:begin %s\n' "$1"
}

section_ends() {
    printf '\nringfence:end %s\n' "$1"
}

finish() {
    track_no_more
    if [ -n "$work" ] && [ -z "$locked" ]; then rm -rf "$work"; fi
    leave_emergency
    leave_lock
    exit "$1"
}

# Nothing was changed and nothing will be: says which rule was broken (a word) and how (a sentence).
refuse() {
    reply refused "$1"
    reply reason "$2"
    finish 3
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# A process that is started costs as much as a page of shell: what the shell can read itself, it reads.
require_root() {
    root_uid=
    while read -r root_key root_uid root_rest; do
        if [ "$root_key" = Uid: ]; then break; fi
    done </proc/$$/status
    # real, effective, ...
    root_uid=${root_rest%%[!0-9]*}
    if [ "$root_uid" != 0 ]; then refuse privilege "only root can change the firewall: use become"; fi
    # an emergency takes whichever tool there is
    case $verb in emergency | hold) ;; *) need_tools ;; esac
    if ! have awk; then refuse awk "awk is not installed: install mawk, gawk or busybox"; fi
}

# refuse_write WHERE [SAID]: refuses because something could not be written there, with the reason that the system gives.
refuse_write() {
    write_why=${2-}
    # what is written is measured, and read to its last line
    for write_tool in dd tail wc; do
        if ! have "$write_tool"; then refuse state "cannot write below $1: $write_tool is not installed"; fi
    done
    case $write_why in
    *[Nn]'o space left'* | *[Rr]'ead-only'* | *[Qq]uota*) ;;
    # what a shell says itself may be just `I/O error`: another program is asked to write there
    *) write_why=$(LC_ALL=C dd if=/dev/zero of="$1/tried" bs=65536 count=16 2>&1) && write_why='it was not written whole' ;;
    esac
    rm -f "$1/tried" 2>/dev/null
    case $write_why in
    *[Nn]'o space left'*) write_why='no space left on device' ;;
    *[Rr]'ead-only file system'*) write_why='read-only file system' ;;
    *)
        write_why=${write_why%%"
"*}
        write_why=${write_why##*: }
        ;;
    esac
    refuse state "cannot write below $1: $write_why"
}

# holds FILE TEXT: whether a file is this text and a newline, to the byte; for what is short.
holds() {
    if [ ! -r "$1" ]; then return 1; fi
    holds_text=
    while IFS= read -r holds_line; do
        holds_text="$holds_text$holds_line
"
    done <"$1"
    [ "$holds_text$holds_line" = "$2
" ]
}

# Who holds the lock has a directory that stays, and writes every file in it before reading it.
open_work() {
    if [ -n "$locked" ]; then
        work=$runs/work
        if [ -d "$work" ]; then return 0; fi
    else
        work=$runs.$$
        if [ -e "$work" ]; then rm -rf "$work"; fi
    fi
    mkdir -m 700 "$work" 2>/dev/null || {
        work_failed=$work work=
        refuse_write "${work_failed%/*}"
    }
}

# Files whose last line is this were written whole; to nft it is a comment.
whole_mark='# whole'

ends_whole() {
    [ "$(tail -n 1 "$1" 2>/dev/null)" = "$whole_mark" ]
}
