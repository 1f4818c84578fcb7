#!/usr/bin/env bash
set -e
for arch in wse2 wse3; do
  cslc --arch=$arch ./layout.csl --fabric-dims=9,3 --fabric-offsets=4,1 \
    --params=burst:32,STREAM_IN:4,STREAM_OUT:5 -o out --memcpy --channels=1
  cs_python run.py --name out
done
