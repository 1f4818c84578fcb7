#!/usr/bin/env bash
set -e
for arch in wse2 wse3; do
  cslc --arch=$arch ./layout.csl --fabric-dims=19,12 --fabric-offsets=4,1 \
    --params=width:12,height:10,cells:64,steps:10 -o out --memcpy --channels=1
  cs_python run.py --name out
done
