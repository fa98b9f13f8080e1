import type { Observed } from './observed.ts'

/**
 * What a task has of the system's own places: lines `what=value`. Not of /dev/core, a link to the memory of a
 * kernel that shows it, which exec covers.
 */
export const placesSeen = `
for place in / /tmp /alloc /local /secrets /dev /dev/pts /dev/shm /dev/mqueue /proc /sys /sys/fs/cgroup; do
  echo "$place: is=$(stat -f -c %T $place) $(stat -c '%a %u' $place)"
done
echo "/dev/shm: size=$(df -k --output=size /dev/shm | tail -n 1)"
echo "/dev: entries=$(ls /dev | grep -vx core | tr '\\n' ' ')"
for place in / /dev /tmp /dev/shm /sys/fs/cgroup /sys/kernel /proc/sys/kernel; do
  (echo x > $place/own) 2>/dev/null && echo "$place: write=written" || echo "$place: write=refused"
done
echo "/sys: entries=$(ls /sys | tr '\\n' ' ')"
cd /sys/fs/cgroup
echo "/sys/fs/cgroup: memory=$(cat memory.max memory/memory.limit_in_bytes 2>/dev/null)"
perl -e '
  open(my $master, "+<", "/dev/ptmx") or die "terminal: is=no ptmx, $!\\n";
  my ($number, $unlock) = (pack("i", 0), pack("i", 0));
  ioctl($master, 0x80045430, $number) and ioctl($master, 0x40045431, $unlock);
  open(my $slave, "+<", "/dev/pts/" . unpack("i", $number)) or die "terminal: is=no slave, $!\\n";
  print "terminal: is=", -t $slave ? "one, number " . unpack("i", $number) : "none", "\\n"' 2>&1
echo over`

export function placesIn(output: string): Observed {
  return new Map(
    output
      .split('\n')
      .filter(line => line.includes('='))
      .map(line => line.split(/=(.*)/s) as [string, string]),
  )
}
