/** A program that takes the words of `apptainer exec` and runs the task in a root folder, with real mounts. */
import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Requirement } from "./requirement.ts";
import type { TestImage } from "./test-images.ts";

export const apptainerStandInRequirement: Requirement = {
  name: "the stand-in for Apptainer",
  programs: ["perl", "unshare", "mount"],
  debianPackages: ["perl-base", "util-linux", "mount"],
  needsRoot: true,
};

export interface ApptainerStandIn {
  /** Has the program, as `apptainer` and as `singularity`. */
  readonly bin: string;
  /** Gets a file with the words of each start, one a line, called after the program. */
  readonly records: string;
}

/** Below `folder`. Whatever image is asked for, it is this one. */
export async function makeApptainerStandIn(folder: string, image: TestImage): Promise<ApptainerStandIn> {
  const [bin, records, root] = ["bin", "records", "root"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const each of [bin, records, root]) await mkdir(each, { recursive: true });
  execFileSync("tar", ["-xf", image.layer, "-C", root]);
  for (const name of ["apptainer", "singularity"])
    await writeFile(join(bin, name), standIn(root, records), { mode: 0o755 });
  return { bin, records };
}

/**
 * Like the original it is replaced by the task, clears the environment, and has its own mounts, where only what is bound
 * can be written. It hides no processes.
 */
const standIn = (root: string, records: string) => String.raw`#!/usr/bin/perl
use strict;
if (($ENV{STAND_IN} // "") ne "inside") {
  if (($ARGV[0] // "") eq "--version") { print "apptainer version 0 (stand-in)\n"; exit 0 }
  my ($name) = $0 =~ m{([^/]+)$};
  open(my $record, ">", "${records}/$name.$$") or die; print $record "$_\n" for @ARGV; close $record;
  $ENV{STAND_IN} = "inside";
  exec "unshare", "--mount", "--propagation", "private", $0, @ARGV or die;
}
my ($pwd, @mounts) = ("/");
shift @ARGV;
while (defined(my $word = shift @ARGV)) {
  if ($word =~ m{^docker://}) { last }
  elsif ($word eq "--pwd") { $pwd = shift @ARGV }
  elsif ($word eq "--bind") {
    my ($source, $target, $how) = split /:/, shift @ARGV;
    push @mounts, [$source, $target, ($how // "") eq "ro"];
  } elsif ($word eq "--mount") {
    my @fields = map { s/""/"/gr } map { s/^"(.*)"$/$1/sr } shift(@ARGV) =~ /("(?:[^"]|"")*"|[^,]+)(?:,|$)/gs;
    my %fields = map { /^(\w+)=(.*)$/s ? ($1, $2) : ($_, 1) } @fields;
    push @mounts, [$fields{source}, $fields{destination}, $fields{ro}];
  } elsif ($word !~ /^--(containall|cleanenv|no-home|writable-tmpfs|nv|no-https)$/) { die "unknown option $word" }
}
my $at = "/mnt";
sub mounted { system("mount", @_) == 0 or die "mount @_" }
mounted("-t", "tmpfs", "tmpfs", $at);
opendir(my $folder, "${root}") or die;
for my $name (grep { !/^\.\.?$/ } readdir $folder) {
  next if grep { $name eq $_ } qw(dev proc tmp mnt);
  my $from = "${root}/$name";
  if (-l $from) { symlink readlink($from), "$at/$name" or die; next }
  if (-d $from) { mkdir "$at/$name" } else { open(my $file, ">", "$at/$name") or die }
  mounted("--bind", $from, "$at/$name");
}
mkdir "$at/$_" for qw(dev proc tmp etc);
chmod 01777, "$at/tmp";
mounted("--rbind", "/$_", "$at/$_") for qw(dev proc);
for my $mount (@mounts) {
  my ($source, $target, $readOnly) = @$mount;
  my $path = $at;
  my @names = grep { length } split m{/}, $target;
  my $last = pop @names;
  for (@names) { $path .= "/$_"; mkdir $path }
  $path .= "/$last";
  if (-d $source) { mkdir $path } elsif (!-e $path) { open(my $file, ">", $path) or die "$path: $!" }
  mounted("--bind", $source, $path);
  mounted("-o", "remount,bind,ro", $path) if $readOnly;
}
chroot $at or die; chdir $pwd or die;
%ENV = (PATH => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
exec { $ARGV[0] } @ARGV or exit 127;
`;
