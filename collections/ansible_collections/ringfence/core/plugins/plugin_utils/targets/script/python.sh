# Python: one that runs, for what a shell cannot do or is to be spared.

# limited SECONDS COMMAND...: runs a command and returns its status; one that takes longer is killed. Nothing of its output
# is kept: what it started may live on and hold a pipe open for ever.
limited() {
    limited_seconds=$1
    shift
    if have setsid; then set -- setsid "$@"; fi
    "$@" </dev/null >/dev/null 2>&1 9>&- &
    limited_pid=$!
    (
        limited_sleep=
        trap 'kill $limited_sleep; exit' TERM
        sleep "$limited_seconds" &
        limited_sleep=$!
        wait "$limited_sleep"
        # with setsid it leads a group, in which what it started is too
        kill -9 "-$limited_pid"
        kill -9 "$limited_pid"
    ) </dev/null >/dev/null 2>&1 9>&- &
    limited_guard=$!
    wait "$limited_pid" 2>/dev/null
    limited_status=$?
    kill "$limited_guard" 2>/dev/null
    wait "$limited_guard" 2>/dev/null
    return "$limited_status"
}

# find_python NAMES [LEAST]: sets python to the first of these programs that is a Python 3 and runs, and python_minor; 3.6 is
# old enough unless another is named. python_why is what is wrong with the others, the first of them first.
find_python() {
    python='' python_minor='' python_why=''
    for python_one in $1; do
        if ! have "$python_one"; then continue; fi
        # its status tells: a wrapper may print anything
        limited 10 "$python_one" -c 'import sys; sys.exit(100 + sys.version_info[1] if sys.version_info[0] == 3 else 99)'
        python_status=$?
        case $python_status in
        10[0-9] | 11[0-9] | 12[0-3])
            if [ "$python_status" -ge $((100 + ${2:-6})) ]; then
                python=$python_one python_minor=$((python_status - 100))
                return 0
            fi
            python_bad="is Python 3.$((python_status - 100))"
            ;;
        99) python_bad='is Python 2' ;;
        137) python_bad='did not answer within 10 s' ;;
        *) python_bad="does not work (status $python_status)" ;;
        esac
        python_why=$python_why${python_why:+; }"$python_one $python_bad"
    done
    return 1
}

# unless_python PART: prints that there is a Python for a module, or else what a part of this script tells.
unless_python() {
    # what a login printed before this may have left a line open
    echo
    if find_python "$rf_pythons" "$rf_least"; then
        reply python "$python"
        return 0
    fi
    reply no_python "${python_why:-there is no Python}"
    if have awk; then "$1"; else reply lacks 'awk is not installed: install mawk, gawk or busybox'; fi
    reply complete yes
}
