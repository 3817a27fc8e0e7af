# Replies: what the target tells its controller, one `ringfence:key=value` a line, sections between begin and end.

LC_ALL=C
export LC_ALL
PATH=/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}
export PATH
umask 077

state=/var/lib/ringfence
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
    printf 'ringfence:begin %s\n' "$1"
    cat
    printf '\nringfence:end %s\n' "$1"
}

finish() {
    track_no_more
    if [ -n "$work" ] && [ -z "$locked" ]; then rm -rf "$work"; fi
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
    if ! have nft; then refuse nft "there is no nft command: install the package nftables"; fi
    if ! have awk; then refuse awk "there is no awk command: install mawk, gawk or busybox"; fi
}

# Temporary files live beside the state: the same file system, so a rename is atomic. Who holds the lock has a directory
# that stays, and writes every file in it before reading it.
open_work() {
    if [ -n "$locked" ]; then
        work=$state/work
        if [ -d "$work" ]; then return 0; fi
    else
        work=$state/work.$$
        if [ -e "$work" ]; then rm -rf "$work"; fi
    fi
    mkdir -m 700 "$work" || refuse state "cannot write below $state"
}
