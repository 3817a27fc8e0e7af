# Engines of containers: which of this host there are, and what they say of the addresses that containers have now.

ask_seconds=10

# Blocks of 4 kB that an engine says at most.
ask_most=4096

# ask_engine ENGINE WORDS...: one that hangs, or never stops talking, is none that answers. What it leaves behind holds
# neither a lock of ours nor this pipe.
ask_engine() {
    ask_file=$runs/engine.$$
    if ! { true >"$ask_file"; } 2>/dev/null; then
        # nothing of ours is in memory yet
        if have timeout; then set -- timeout "$ask_seconds" "$@"; fi
        "$@" 2>/dev/null </dev/null 7>&- 8>&- 9>&-
        return
    fi
    rm -f "$ask_file.ended"
    {
        ask_told=0
        "$@" 2>/dev/null &
        echo "$!" >"$ask_file.pid"
        wait "$!" || ask_told=$?
        echo "$ask_told" >"$ask_file.ended"
    } </dev/null 7>&- 8>&- 9>&- 2>/dev/null | dd bs=4096 count="$ask_most" >"$ask_file" 2>/dev/null 7>&- 8>&- 9>&- &
    ask_writer=$!
    ask_waited=0
    until [ -s "$ask_file.ended" ] || [ "$ask_waited" -ge "$((ask_seconds * 20))" ]; do
        if ! sleep 0.05 2>/dev/null; then
            sleep 1
            ask_waited=$((ask_waited + 19))
        fi
        ask_waited=$((ask_waited + 1))
    done
    ask_told=hangs
    if [ -s "$ask_file.ended" ]; then
        read -r ask_told <"$ask_file.ended"
    elif read -r ask_pid <"$ask_file.pid"; then
        kill -9 "$ask_pid" 2>/dev/null
    fi
    # what is still on its way to the file
    ask_waited=0
    while kill -0 "$ask_writer" 2>/dev/null && [ "$ask_waited" -lt 20 ]; do
        sleep 0.05 2>/dev/null || sleep 1
        ask_waited=$((ask_waited + 1))
    done
    kill "$ask_writer" 2>/dev/null
    if [ "$ask_told" != hangs ]; then cat "$ask_file"; fi
    rm -f "$ask_file" "$ask_file.pid" "$ask_file.ended"
    [ "$ask_told" = 0 ]
}
newline='
'

# tell_engine ENGINE IDS...: prints the names, addresses and network modes of containers; one of them that is gone fails all alone.
tell_engine() {
    tell_engine_name=$1
    shift
    ask_engine "$tell_engine_name" inspect --type container \
        --format '{{.Name}}{{range .NetworkSettings.Networks}} {{.IPAddress}} {{.GlobalIPv6Address}}{{end}} {{.HostConfig.NetworkMode}}' "$@"
}

# Prints the engines of this host, and has them asked for its own containers: somebody's context or environment may name one
# that is elsewhere. `docker` may be Podman by another name.
engines() {
    if have docker && ! is_podman; then echo docker; fi
    if have podman; then echo podman; fi
}
DOCKER_HOST=unix:///var/run/docker.sock
export DOCKER_HOST
unset DOCKER_CONTEXT CONTAINER_HOST CONTAINER_CONNECTION

# Whether `docker` is a link to Podman, or a script that calls it.
is_podman() {
    if ! have podman; then return 1; fi
    podman_path=$(command -v docker)
    # shellcheck disable=SC2012 # the one portable way to read a link
    case $(ls -ld "$podman_path" 2>/dev/null) in *"-> "*podman) return 0 ;; esac
    [ "$(dd if="$podman_path" bs=2 count=1 2>/dev/null)" = '#!' ] && grep -q podman "$podman_path"
}

# Whether a process of an engine runs as root: its service, or what keeps one of its containers.
engine_runs() {
    cat /proc/[0-9]*/status 2>/dev/null | awk -v engine="$1" '
        BEGIN { wanted = engine == "docker" ? "^(dockerd|containerd-shim|docker-containe)$" : "^conmon$" }
        $1 == "Name:" { name = $2 }
        $1 == "Uid:" && $2 == 0 && name ~ wanted { found = 1 }
        END { exit !found }'
}

# Whether a question would start Docker, by its socket; then it has no containers.
engine_sleeps() {
    [ "$1" = docker ] && [ -S /var/run/docker.sock ] && ! engine_runs docker
}

# Prints `NAME ADDRESS` for every address that a running container has on a network; nothing of a name that two have. Fails where an engine does not
# answer, or there is none: no answer is not the same as no container, but where nothing of it runs.
containers_now() {
    now_lines=
    now_engines=
    for now_engine in $(engines); do
        now_engines=1
        if engine_sleeps "$now_engine"; then continue; fi
        now_ids=$(ask_engine "$now_engine" ps -q --no-trunc) || {
            if engine_runs "$now_engine"; then return 1; fi
            continue
        }
        if [ -z "$now_ids" ]; then continue; fi
        # what is no list of identities is no answer, and no option of the next question
        case $now_ids in *[!0-9a-f"$newline"]*) return 1 ;; esac
        # one that has ended since then is no answer, and those of the others count
        # shellcheck disable=SC2086
        now_told=$(tell_engine "$now_engine" $now_ids)
        if [ -z "$now_told" ]; then return 1; fi
        now_lines="$now_lines
$now_told"
    done
    if [ -z "$now_engines" ]; then return 1; fi
    # an address that is none would fail for all in one transaction, or be asked of a name server
    printf '%s\n' "$now_lines" | awk '
        function is_address(text,    part, n, i, given) {
            if (text ~ /^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$/) {
                split(text, part, ".")
                for (i = 1; i <= 4; i++) if (part[i] > 255 || length(part[i]) > 3) return 0
                return 1
            }
            if (text !~ /^[0-9a-f:]+$/ || text ~ /:::/ || text ~ /^:[^:]/ || text ~ /[^:]:$/) return 0
            n = split(text, part, ":")
            for (i = 1; i <= n; i++) if (length(part[i]) > 4) return 0; else if (part[i] != "") given++
            return split(text, part, "::") == 2 ? given < 8 : given == 8 && n == 8
        }
        # one in the network of another: Podman says the address of that one of it, whose table judges both
        $NF ~ /^container:/ { next }
        { sub(/^\//, "", $1) }
        $1 !~ /^[A-Za-z0-9][A-Za-z0-9_.-]*$/ { next }
        { holders[$1]++; for (i = 2; i <= NF; i++) if (is_address($i)) { name[++told] = $1; address[told] = $i } }
        # Docker and Podman each have one of this name: neither is known by it
        END { for (i = 1; i <= told; i++) if (holders[name[i]] == 1) print name[i], address[i] }'
}
