# Sourced by lib.sh: programs in the background, ended by their pid, and what is waited for.
# shellcheck shell=bash

declare -A pids=() # by name
spawned=()

# spawn NAME COMMAND...: starts it in the background; its output goes to $scratch/NAME.log (that of an
# earlier one of the name to NAME-before.log).
spawn() {
    local name=$1
    shift
    [ ! -e "$scratch/$name.log" ] || mv "$scratch/$name.log" "$scratch/$name-before.log"
    : >"$scratch/$name.log"
    "$@" >>"$scratch/$name.log" 2>&1 </dev/null &
    pids[$name]=$!
    disown $! # else the shell has a word to say when we end it
    spawned+=("$name")
}

is_alive() {
    [ -n "${pids[$1]:-}" ] && kill -0 "${pids[$1]}" 2>/dev/null
}

# end NAME [SIGNAL]: ends what spawn started, and waits for it; SIGKILL after three seconds.
end() {
    local name=$1 pid=${pids[$1]:-} tries=0
    [ -n "$pid" ] || return 0
    unset "pids[$name]"
    kill "-${2:-TERM}" "$pid" 2>/dev/null || return 0
    while kill -0 "$pid" 2>/dev/null; do
        tries=$((tries + 1))
        [ "$tries" != 60 ] || kill -KILL "$pid" 2>/dev/null || true
        [ "$tries" -lt 120 ] || return 0
        sleep 0.05
    done
}

# wait_for SECONDS WHAT COMMAND...: polls until the command succeeds; fails after SECONDS.
wait_for() {
    local deadline=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || fail "$what did not happen in time"
        sleep 0.05
    done
}

# wait_log NAME PATTERN [SECONDS]: until the log of NAME has the pattern; fails at once if NAME ended.
wait_log() {
    local name=$1 pattern=$2 deadline=$((SECONDS + ${3:-15}))
    until grep -qE -- "$pattern" "$scratch/$name.log"; do
        is_alive "$name" || fail "$name ended before it was ready"
        [ "$SECONDS" -lt "$deadline" ] || fail "$name never said '$pattern'"
        sleep 0.05
    done
}

# has_listener NAMESPACE PORT: is there a TCP listener?
has_listener() {
    grep -q . <(ip netns exec "$1" ss -Hltn "sport = :$2")
}
