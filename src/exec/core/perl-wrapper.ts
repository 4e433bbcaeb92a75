/**
 * The wrapper (wrapper.ts) as two subs for the group starter in Perl: what happens in a task's process before it becomes
 * the task, and what is written when it has ended. Words: root, `host`, cgroup, then `start NAME=VALUE… -- COMMAND…`.
 *
 * An `unstarted` file says that the process did not come to be the task, which its exit code alone could not.
 */
export const perlWrapper = `
sub enter {
  my ($root, undef, $cgroup, undef, @rest) = @_;
  my $failed = sub { open(my $mark, '>', "$root/unstarted"); () };
  if ($cgroup ne '') {
    open(my $procs, '>', "$cgroup/cgroup.procs") or return $failed->();
    defined syswrite($procs, "0\\n") or return $failed->();
    close($procs);
  }
  chdir("$root/work") or return $failed->();
  umask 022;
  open(STDIN, '<', '/dev/null') or return $failed->();
  open(STDOUT, '>', "$root/stdout") or return $failed->();
  open(STDERR, '>', "$root/stderr") or return $failed->();
  while (defined(my $word = shift @rest)) {
    last if $word eq '--';
    my ($name, $value) = split /=/, $word, 2;
    $ENV{$name} = $value;
  }
  return @rest;
}
sub figure { open(my $file, '<', $_[0]) or return undef; my $text = <$file>; $text =~ /^(\\d+)/ ? $1 : undef }
sub kills { open(my $file, '<', $_[0]) or return undef; for (<$file>) { return $1 if /^oom_kill (\\d+)/ } undef }
sub leave {
  my ($status, $cpu, $wall, $root, undef, $cgroup) = @_;
  my $code = $status & 127 ? 128 + ($status & 127) : $status >> 8;
  return undef if $code == 125 && unlink("$root/unstarted");
  my ($oom, $peak, $usec);
  if ($cgroup ne '') {
    if (-r "$cgroup/memory.events") { $oom = kills("$cgroup/memory.events"); $peak = figure("$cgroup/memory.peak") }
    elsif (-r "$cgroup/memory.oom_control") {
      $oom = kills("$cgroup/memory.oom_control");
      $peak = figure("$cgroup/memory.max_usage_in_bytes");
    }
    my $nanoseconds = figure("$cgroup/cpuacct.usage");
    if (defined $nanoseconds) { $usec = int($nanoseconds / 1000) }
    elsif (open(my $file, '<', "$cgroup/cpu.stat")) { for (<$file>) { $usec = $1 if /^usage_usec (\\d+)/ } }
  }
  my @figures = map { defined $_ ? $_ : 'null' } (int($wall * 100 + 0.5), $usec, int($cpu * 100 + 0.5), $peak, $oom);
  if (open(my $file, '>', "$root/usage.json")) {
    printf $file '{"wallCentiseconds":%s,"cgroupCpuMicroseconds":%s,"cpuTicks":%s,"peakBytes":%s,"oomKills":%s}' . "\\n", @figures;
    close($file);
  }
  return 125 unless memoir_lives();
  if (open(my $file, '>', "$root/rc")) { print $file "$code\\n"; close($file) }
  return $code;
}
`;
