/**
 * Ways to store more than `diskBytes` (8 MiB) allows: shell scripts, each of which exits with another code
 * than 0 as soon as something does not fit.
 */
export const diskAttacks: Readonly<Record<string, string>> = {
  'in one file': 'dd if=/dev/zero of=/local/one bs=64k count=512',
  'in both directories':
    'for d in /local /alloc /alloc/data /alloc/tmp; do dd if=/dev/zero of=$d/part bs=64k count=160 || exit; done',
  'in many files': 'i=0; while [ $i -lt 10000 ]; do echo >/alloc/tmp/$i || exit; i=$((i+1)); done',
  'by hard links':
    'dd if=/dev/zero of=/local/one bs=64k count=64 && ln /local/one /local/two && dd if=/dev/zero of=/local/two bs=64k count=512',
  'in the holes of a sparse file':
    'truncate -s 1G /local/holes && dd if=/dev/zero of=/local/holes bs=64k seek=4000 count=512 conv=notrunc',
  'in a file that has no name':
    'exec 3>/local/gone && rm /local/gone && dd if=/dev/zero bs=64k count=512 >&3',
}
