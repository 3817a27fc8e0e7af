# Doctor: what a host has for what it will be asked to do. Nothing is changed: two directories are made and removed.

# What hangs (a dead network file system, a service manager that does not answer) costs itself, not the answer.
within() {
    if have timeout; then timeout 5 "$@"; else "$@"; fi
}

doctor() {
    # what a shell's files printed before this may have left a line open
    echo
    reply uid "$(id -u)"
    reply login "$(id -un)"
    reply time "$(date -u +%s)"
    reply system "$(uname -s)"
    reply kernel "$(uname -r)"
    reply came_from "${SSH_CONNECTION%% *}"
    doctor_filters
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then reply cgroup2 yes; else reply cgroup2 no; fi
    if [ -d /run/systemd/system ]; then
        reply systemd "$(within systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')"
    fi
    for doctor_tool in sha256sum awk sed tail wc flock ss getent \
        iptables-save iptables-restore ip6tables-save ip6tables-restore; do
        if have "$doctor_tool"; then reply has "$doctor_tool"; else reply lacks "$doctor_tool"; fi
    done
    for doctor_directory in /var/lib /run; do doctor_room "$doctor_directory"; done
    doctor_firewalls
    if find_python "python3 /usr/libexec/platform-python"; then reply python "3.$python_minor"; fi
    reply complete yes
}

doctor_filters() {
    doctor_filter nft 's/.* v\([0-9.]*\).*/\1/p' nft list tables
    doctor_filter iptables 's/.* v\([0-9.]*\).*/\1/p' iptables-save
    doctor_filter ipset 's/^ipset v\([0-9.]*\).*/\1/p' ipset list -n
}

# doctor_filter PROGRAM VERSION COMMAND...: replies the version of a program, and whether a command of it works.
doctor_filter() {
    if ! have "$1"; then return 0; fi
    doctor_name=$1
    reply "$1" "$(within "$1" --version | sed -n "$2")"
    shift 2
    if doctor_said=$(within "$@" 2>&1); then
        reply "${doctor_name}_works" yes
    else
        reply "${doctor_name}_works" no
        reply "${doctor_name}_said" "$(printf '%.150s' "$doctor_said")"
    fi
}

# Whether a file can be made in a directory, and how many KiB are free there.
doctor_room() {
    if mkdir -m 700 "$1/.ringfence-doctor.$$" 2>/dev/null; then
        rmdir "$1/.ringfence-doctor.$$"
        reply writable "$1"
    else
        reply unwritable "$1"
    fi
    reply room "$1 $(within df -Pk "$1" | awk 'NR == 2 { print $4 }')"
}

doctor_firewalls() {
    if have ufw && within ufw status 2>/dev/null | grep -q '^Status: active'; then reply firewall ufw; fi
    if [ ! -d /run/systemd/system ]; then return 0; fi
    for doctor_unit in firewalld docker nftables; do
        if within systemctl is-active --quiet "$doctor_unit.service"; then reply firewall "$doctor_unit"; fi
    done
}

doctor </dev/null 2>/dev/null
