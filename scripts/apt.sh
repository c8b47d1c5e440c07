# shellcheck shell=bash
# apt_install PACKAGE…: installs Debian packages without starting the services they bring. Everything it
# prints goes to standard error; it fails when this machine has no apt or the user may not install.
# Sourced by the scripts beside it.
apt_install() {
  local as_root=()
  if ! command -v apt-get >/dev/null; then
    echo "apt: this machine has no apt-get: install $* by hand" >&2
    return 1
  fi
  if [[ $(id -u) != 0 ]]; then
    if ! command -v sudo >/dev/null; then
      echo "apt: installing $* needs root, and there is no sudo: run apt-get install $* as root" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  # A package's service is started by invoke-rc.d unless /usr/sbin/policy-rc.d says 101, which containers
  # have and workstations do not. So there is one for as long as this takes; what was there comes back.
  # The lock is for two checkouts that install at the same time.
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive bash -s -- "$@" >&2 9>&- <<'ROOT'
set -euo pipefail
policy=/usr/sbin/policy-rc.d
exec 8</var/lib/dpkg
flock 8
restore() {
  rm -f "$policy"
  if [[ -e $policy.kept ]]; then mv -f "$policy.kept" "$policy"; fi
}
trap 'exit 130' INT TERM
if ! { [[ -x $policy ]] && { "$policy" any-service start </dev/null >/dev/null 2>&1; [[ $? == 101 ]]; }; }; then
  if [[ -e $policy ]]; then mv "$policy" "$policy.kept"; fi
  trap restore EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt-get update -qq </dev/null || echo "apt: the package lists could not be brought up to date; trying with the old ones"
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" </dev/null
ROOT
}
