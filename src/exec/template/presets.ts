/** Ready templates of schedulers that are common. Sites differ: every part can be replaced by an option. */

export interface Preset {
  readonly submit: string;
  readonly status: string;
  readonly cancel: string;
  readonly jobId: string;
  readonly row: string;
  readonly states: string;
}

export type PresetName = "pbs" | "lsf" | "sge";

export const presets: Readonly<Record<PresetName, Preset>> = {
  pbs: {
    submit:
      "qsub -N {name} -o {out} -e {err} -l nodes=1:ppn={cpus}[,mem={memory_mb}mb][,walltime={walltime}]",
    status: "qstat",
    cancel: "qdel {id}",
    jobId: "^(\\d[^\\s]*)\\s*$",
    row: "^(?<id>\\d\\S*)\\s+.*\\s(?<state>[A-Z])\\s+\\S+\\s*$",
    states: "active=Q,H,W,T,R,E,S,U,B ended=C,F,X",
  },
  lsf: {
    submit:
      "bsub -J {name} -oo {out} -eo {err} -n {cpus} -R span[hosts=1] [ -M {memory_mb}MB ] [ -W {minutes} ]",
    status: "bjobs -a -noheader -o 'jobid stat'",
    cancel: "bkill {id}",
    jobId: "Job <(\\d+)>",
    row: "^(?<id>\\d+)\\s+(?<state>\\S+)\\s*$",
    states: "active=PEND,PROV,PSUSP,RUN,USUSP,SSUSP,WAIT,UNKWN ended=DONE,EXIT lost=ZOMBI",
  },
  sge: {
    submit:
      "qsub -terse -N {name} -o {out} -e {err} -S /bin/sh -pe smp {cpus} [ -l h_vmem={memory_mb_per_cpu}M ] [ -l h_rt={walltime} ]",
    status: "qstat",
    cancel: "qdel {id}",
    jobId: "^(\\d+)",
    row: "^\\s*(?<id>\\d+)\\s+\\S+\\s+\\S+\\s+\\S+\\s+(?<state>[a-zA-Z]+)\\s",
    states: "active=qw,hqw,r,t,s,S,T,Rr,Rt,dr,dt ended=z lost=Eqw",
  },
};
