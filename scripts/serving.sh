# shellcheck shell=bash
# What an installed gateway is asked by the scripts beside it, which source this. Who starts it sets `gateway` to
# its process and `log` to the file that it writes to, as text.
# shellcheck disable=SC2154

# Prints what /readyz answers, in a line; fails while it does not listen.
readyz() {
  local port
  [[ -f $log ]] || return 1
  port=$(sed -n 's/.*listening address=127.0.0.1:\([0-9]*\).*/\1/p' "$log")
  [[ -n $port ]] || return 1
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
  printf 'GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  tail -n 1 <&3
  exec 3>&-
}

# Waits until /readyz says so, for a minute at most.
expect() { # status
  local deadline=$((SECONDS + 60)) answer=
  until answer=$(readyz) && [[ $answer == *"\"status\":\"$1\""* ]]; do
    if ! kill -0 "$gateway" 2>/dev/null || ((SECONDS >= deadline)); then
      cat "$log" >&2
      say "/readyz does not say $1, but \"$answer\""
      return 1
    fi
    sleep 0.1
  done
  say "/readyz: $answer"
}

# Ends it as an operator does.
stop() {
  kill -TERM "$gateway"
  wait "$gateway" || {
    say "the gateway ended with $? on SIGTERM"
    return 1
  }
  gateway=
}
