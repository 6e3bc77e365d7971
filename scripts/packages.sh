#!/usr/bin/env bash
# Installs the Debian packages that building, testing or the demonstration need; as somebody else than root it says exactly
# which are missing and how to get them. Sourced by the other scripts, for need_packages; by itself: packages.sh GROUP...
set -euo pipefail

packages_build=(g++ python3 cmake ninja-build pkg-config ccache libnl-3-dev libnl-route-3-dev liburing-dev libspdlog-dev libfmt-dev
  libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libhttp-parser-dev libpcap-dev libcap-ng-dev libdw-dev libseccomp-dev libssl-dev
  libgtest-dev libgmock-dev libbenchmark-dev valgrind)
packages_demo=(python3 curl nmap iproute2 iputils-ping procps)
packages_test=("${packages_demo[@]}" gdb git)
packages_clang=(clang-14 libclang-rt-14-dev clang-format)

# need_packages GROUP...: makes sure that the packages of the groups (build, demo, test, clang) are installed.
need_packages() {
  local group name missing=()
  for group in "$@"; do
    local -n list="packages_$group"
    for name in "${list[@]}"; do
      dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
  done
  [ "${#missing[@]}" -eq 0 ] && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "These Debian packages are missing: ${missing[*]}" >&2
    echo "Install them with:  sudo apt-get install ${missing[*]}" >&2
    return 1
  fi
  echo "Installing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then need_packages "${@:-build}"; fi
