#!/bin/bash
# A Slurm of two nodes on this machine alone, to try --launcher submitit with.
#
#   apt-get install -y --no-install-recommends slurm-wlm munge
#   tools/slurm_node.sh start FOLDER   # then: export SLURM_CONF=FOLDER/slurm.conf
#   tools/slurm_node.sh stop FOLDER
#
# Needs root. Everything is kept in FOLDER: configuration, logs, state. There is
# no accounting, as on many small clusters: sacct says so and fails.
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# = 2 ] || usage
verb=$1
mkdir -p "$2"
folder=$(cd "$2" && pwd)
export SLURM_CONF=$folder/slurm.conf
socket=$folder/munge/socket

for command in slurmctld slurmd munged scontrol; do
    if ! type -P "$command" > /dev/null; then
        echo "$command is not installed: apt-get install slurm-wlm munge" >&2
        exit 2
    fi
done

write_configuration() {
    local host cores
    host=$(hostname -s)
    cores=$(( $(nproc) > 1 ? $(nproc) / 2 : 1 ))
    cat > "$SLURM_CONF" <<CONF
ClusterName=tried
SlurmctldHost=$host
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$socket
CryptoType=crypto/munge
SlurmctldPort=16817
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MailProg=/bin/true
ReturnToService=2
InactiveLimit=0
KillWait=5
# A job that is put back runs again within seconds, not after two minutes
SchedulerParameters=bf_interval=2,sched_interval=2
JobRequeue=1
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
NodeName=node1 NodeHostname=$host CPUs=$cores Port=16818 State=UNKNOWN
NodeName=node2 NodeHostname=$host CPUs=$cores Port=16819 State=UNKNOWN
PartitionName=all Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
CONF
    # Beside slurm.conf, where slurmd looks for it
    echo "CgroupAutomount=no" > "$folder/cgroup.conf"
}

start() {
    mkdir -p "$folder"/{state,munge,spool-node1,spool-node2}
    chmod 700 "$folder/munge"
    if [ ! -s "$folder/munge/key" ]; then
        head -c 1024 /dev/urandom > "$folder/munge/key"
        chmod 400 "$folder/munge/key"
    fi
    # The socket has to be reached by those who submit
    chmod 711 "$folder/munge"
    write_configuration
    munged --force --key-file="$folder/munge/key" --socket="$socket" \
        --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" \
        --seed-file="$folder/munge/seed"
    slurmctld
    for node in node1 node2; do slurmd -N "$node"; done
    for _ in $(seq 30); do
        if [ "$(sinfo -h -t idle -o %D)" = 2 ]; then
            echo "Two nodes wait for jobs: export SLURM_CONF=$SLURM_CONF"
            return
        fi
        sleep 1
    done
    echo "The nodes did not come up: see the logs in $folder" >&2
    stop
    exit 1
}

stop() {
    scancel --state=RUNNING,PENDING --partition=all 2> /dev/null || true
    for _ in $(seq 10); do
        [ -n "$(squeue -h 2> /dev/null)" ] || break
        sleep 1
    done
    for pid in "$folder"/slurmd-*.pid "$folder/slurmctld.pid" \
        "$folder/munge/pid"; do
        [ ! -s "$pid" ] || kill "$(cat "$pid")" 2> /dev/null || true
    done
}

case $verb in
    start | stop) "$verb" ;;
    *) usage ;;
esac
