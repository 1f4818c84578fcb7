#!/usr/bin/env bash
set -e
# Anew each time; without --folder it would be `runs`, and a second time would find every run done.
folder=$(mktemp -d)
bash submit.sh --folder="$folder"
cat "$folder/results.csv"
rm -r "$folder"
