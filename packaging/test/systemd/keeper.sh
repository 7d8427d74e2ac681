# Runs one machine, in a mount namespace and cgroups of its own, and takes away what that made when
# the machine ends. Where standard input ends first, whoever wanted the machine has gone, however
# that came: then the machine is ended, and its directory removed.
#
# usage: bash keeper.sh NAME IMAGE DIR    prints the number of nspawn's process
set -euo pipefail
name=$1 image=$2 dir=$3
exec 3<&0

mkdir -p "$dir"/{upper,work,root}
mount -t overlay overlay -o "lowerdir=$image,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"

groups=()
for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    if [[ -e $hierarchy/cgroup.procs ]]; then
        groups+=("$hierarchy/$name")
    fi
done
mkdir "${groups[@]}"

clean() {
    for group in "${groups[@]}"; do
        for ((i = 0; i < 200; i++)); do # what was killed takes a moment to be gone
            find "$group" -name cgroup.procs -exec cat {} + | xargs --no-run-if-empty kill -KILL || true
            find "$group" -depth -type d -exec rmdir {} + || true
            [[ -d $group ]] || break
            sleep 0.05
        done 2>/dev/null
    done
    umount -l "$dir/root"
    rmdir "/run/systemd/nspawn/propagate/$name" 2>/dev/null || true # nspawn leaves it where it was killed
    if [[ -e $dir/orphan ]]; then
        rm -rf "$dir"
    fi
    kill "$watcher"
}
trap clean EXIT

(
    for group in "${groups[@]}"; do
        echo "$BASHPID" >"$group/cgroup.procs"
    done
    export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
    exec systemd-nspawn --quiet --boot --directory="$dir/root" --machine="$name" --register=no --keep-unit --private-network \
        --link-journal=no --console=pipe </dev/null >>"$dir/console.log" 2>&1 3<&-
) &
nspawn=$!
(
    read -r || true
    touch "$dir/orphan"
    kill -KILL "$nspawn"
) <&3 >/dev/null &
watcher=$!
echo "$nspawn"
wait "$nspawn"
