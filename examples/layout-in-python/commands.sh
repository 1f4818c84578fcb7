#!/usr/bin/env bash
set -e
for arch in wse2 wse3; do
  cs_python run.py --arch=$arch
done
