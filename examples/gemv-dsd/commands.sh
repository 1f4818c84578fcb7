#!/usr/bin/env bash
set -e
for arch in wse2 wse3; do
  cslc --arch=$arch ./layout.csl --fabric-dims=10,5 --fabric-offsets=4,1 \
    --params=width:3,height:2 --params=rows:5,columns:7 -o out --memcpy --channels=1
  cs_python run.py --name out
done
