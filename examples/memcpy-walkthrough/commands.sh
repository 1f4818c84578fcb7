#!/usr/bin/env bash
set -e
for arch in wse2 wse3; do
  cslc --arch=$arch ./layout.csl --fabric-dims=8,3 --fabric-offsets=4,1 --params=n:16 -o out --memcpy --channels=1
  cs_python run.py --name out
done
