#!/bin/bash
#SBATCH --job-name=sweep
#SBATCH --array=0-1               # Two jobs, each with its share of the runs
#SBATCH --cpus-per-task=2
#SBATCH --time=00:30:00
#SBATCH --signal=B:TERM@30        # Finished runs stay; submitted again, it goes on

# `sbatch submit.sh` where there is SLURM, `bash submit.sh` where there is none.
cd "${SLURM_SUBMIT_DIR:-$(dirname "$0")}" || exit
exec waferlab sweep sweep.toml "$@" --workers="${SLURM_CPUS_PER_TASK:-2}" \
  --part="${SLURM_ARRAY_TASK_ID:-0}/${SLURM_ARRAY_TASK_COUNT:-1}"
