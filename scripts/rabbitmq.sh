# shellcheck shell=bash
# What scripts/broker and scripts/cluster both know of RabbitMQ and of the ports of this machine. The script
# that sources this has `say` and `die`.

# Runs a command for at most so many seconds. macOS has no `timeout`, but perl.
within() {
  local seconds=$1
  shift
  if command -v timeout >/dev/null; then
    timeout "$seconds" "$@"
  else
    perl -e 'alarm shift; exec @ARGV or exit 127' "$seconds" "$@"
  fi
}

listens() { # host port
  # shellcheck disable=SC2016 # expanded by the inner shell
  within 3 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$1" "$2" 2>/dev/null
}

# Does a broker answer? It greets a client that sends the AMQP 0-9-1 header with connection.start:
# a method frame (1) on channel 0, a length, class 10, method 10.
speaks_amqp() { # scheme host port
  local greeting
  if [[ $1 == amqps ]]; then
    command -v openssl >/dev/null || die "install openssl: it is needed to look at an amqps:// broker"
    # shellcheck disable=SC2016
    greeting=$(within 5 bash -c \
      '{ printf "AMQP\0\0\x09\x01"; sleep 4; } | openssl s_client -quiet -connect "$0:$1" 2>/dev/null |
       head -c 11 | od -An -v -tx1' "$2" "$3" 2>/dev/null) || true
  else
    # What listens and says nothing is rare; a broker that takes its time on a busy machine is not.
    # shellcheck disable=SC2016
    greeting=$(within 20 bash -c \
      'exec 3<>"/dev/tcp/$0/$1" && printf "AMQP\0\0\x09\x01" >&3 && head -c 11 <&3 | od -An -v -tx1' \
      "$2" "$3" 2>/dev/null) || true
  fi
  [[ ${greeting//[[:space:]]/} =~ ^010000[0-9a-f]{8}000a000a$ ]]
}

free_port() { # the first port from here on that nothing listens on
  local candidate=$1 tries
  for ((tries = 0; tries < 200; tries++, candidate++)); do
    if ! listens 127.0.0.1 "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  die "no free port from $1 on; end what listens there"
}

# Where Erlang's nodes find one another. Below 32768: from there on the system gives a port to whoever
# connects to anything, and one that was free is not when the server has come that far.
dist_port_for() { # port
  if (($1 <= 12000)); then
    echo $(($1 + 20000)) # 25672 for 5672, as RabbitMQ has it
  elif (($1 <= 21000)); then
    echo $(($1 + 10000))
  else
    echo $(($1 % 10000 + 15000))
  fi
}

# Debian's wrapper in /usr/sbin switches to the user rabbitmq and to /var/lib/rabbitmq; the program
# itself runs as whoever calls it.
find_program() { # rabbitmq-server or rabbitmqctl
  local candidate
  for candidate in "/usr/lib/rabbitmq/bin/$1" "$(command -v "$1" || true)" "/usr/sbin/$1"; do
    if [[ -n $candidate && -x $candidate ]]; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

arguments_of() { # pid; small images have /proc and no ps, macOS has ps and no /proc
  if [[ -d /proc/self ]]; then
    { tr '\0' ' ' <"/proc/$1/cmdline"; } 2>/dev/null
  else
    ps -ww -o args= -p "$1" 2>/dev/null
  fi
}
