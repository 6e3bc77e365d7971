#!/usr/bin/env bash
# Says whether this machine lets the live tests and the demonstration run, before anything is built: a network namespace of
# one's own, and a TAP device in it. Without root a user namespace is tried. Exit code 1, with what to do, when not.
set -euo pipefail

fail() {
  echo "check_machine: $1" >&2
  echo "  $2" >&2
  exit 1
}

private=(unshare --net)
[ "$(id -u)" -eq 0 ] || private=(unshare --user --map-root-user --net)

why=$("${private[@]}" true 2>&1) || fail "no network namespace of one's own can be made: $why" \
  "Run as root, or allow user namespaces (user.max_user_namespaces); in a container add --cap-add SYS_ADMIN."
[ -c /dev/net/tun ] || fail "there is no /dev/net/tun" \
  "Load the driver (modprobe tun), or pass the device into the container (--device /dev/net/tun)."
[ -r /dev/net/tun ] && [ -w /dev/net/tun ] || fail "/dev/net/tun may not be opened by $(id -un)" \
  "Run as root, or open it for all, as Debian does: chmod 666 /dev/net/tun."
why=$("${private[@]}" ip tuntap add dev probe0 mode tap multi_queue vnet_hdr 2>&1) || fail \
  "no TAP device can be made in a namespace of one's own: $why" \
  "The container lacks NET_ADMIN, or the kernel its tun driver; in a container add --cap-add NET_ADMIN."
echo "check_machine: network namespaces and TAP devices are available"
