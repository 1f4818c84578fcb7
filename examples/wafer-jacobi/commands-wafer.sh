#!/usr/bin/env bash
# The whole wafer: 750x994 PEs of a WSE-2, or with the argument wse3 755x1170 of a WSE-3.
set -e
arch=${1:-wse2}
if [ "$arch" = wse3 ]; then
  dims=762,1172 width=755 height=1170
else
  dims=757,996 width=750 height=994
fi
cslc --arch="$arch" ./layout.csl --fabric-dims=$dims --fabric-offsets=4,1 \
  --params=width:$width,height:$height,cells:64,steps:10 -o out --memcpy --channels=16
cs_python run.py --name out
