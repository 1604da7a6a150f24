#!/usr/bin/env bash
# The guide's recovery in another region, from create-cluster to equal keys, without an AWS account: the aws commands
# are the guide's, and `hsmd service` answers them with real HSMs.
#
#     examples/recovery/with-aws.sh [FOLDER]
#
# hsmd, cloudhsm_mgmt_util, key_mgmt_util, configure, aws, openssl and jq are in the path. The service listens on
# $SERVICE, by default 127.0.0.1:4225. FOLDER gets the account and the files of its owner.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
service="${SERVICE:-127.0.0.1:4225}"
mkdir -p "${1:-/tmp/account}"
cd "${1:-/tmp/account}"

hsmd service --dir account --listen "$service" 2> service.log &
trap 'kill $!; wait' EXIT
until hsmd service --check --listen "$service" > /dev/null 2>&1; do
    kill -0 $! || { cat service.log >&2; exit 1; }
    sleep 0.2
done
export AWS_ENDPOINT_URL_CLOUDHSM_V2="http://$service" AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any AWS_PAGER=

# What --query finds in the answer to a command.
query() {
    aws cloudhsmv2 "$1" "${@:3}" --output text --query "$2"
}

until_state() { # STATE CLUSTER [--region ...]
    until [ "$(query describe-clusters 'Clusters[].State' --filters clusterIds="$2" "${@:3}")" = "$1" ]; do sleep 1; done
}

# The console's configuration, with every HSM of the cluster that this one belongs to.
configuration() { # FILE ADDRESS
    configure --template | sed "s|/opt/cloudhsm/etc/customerCA.crt|$PWD/customerCA.crt|" > "$1"
    configure -a "$2" --cmu-config "$1"
    configure --cmu "$2" --cmu-config "$1"
}

echo "== The eastern cluster and its first HSM"
east=$(query create-cluster Cluster.ClusterId --hsm-type hsm1.medium --subnet-ids subnet-0e358c43 subnet-1e358c44)
until_state UNINITIALIZED "$east"
aws cloudhsmv2 create-hsm --cluster-id "$east" --availability-zone us-east-1a
until query describe-clusters 'Clusters[].Hsms[].State' --filters clusterIds="$east" | grep -qw ACTIVE; do sleep 1; done

echo "== Its owner signs the CSR"
aws cloudhsmv2 describe-clusters --filters clusterIds="$east" \
    --output text --query 'Clusters[].Certificates.ClusterCsr' > "${east}_ClusterCsr.csr"
openssl genrsa -aes256 -passout pass:secret -out customerCA.key 2048
openssl req -new -x509 -days 3652 -subj /CN=customerCA -passin pass:secret -key customerCA.key -out customerCA.crt
openssl x509 -req -days 3652 -in "${east}_ClusterCsr.csr" -CA customerCA.crt -CAkey customerCA.key \
    -CAcreateserial -passin pass:secret -out "${east}_CustomerHsmCertificate.crt"
aws cloudhsmv2 initialize-cluster --cluster-id "$east" \
    --signed-cert "file://${east}_CustomerHsmCertificate.crt" --trust-anchor file://customerCA.crt
until_state INITIALIZED "$east"

echo "== The console activates it; a user, and the user's key"
address=$(query describe-clusters 'Clusters[].Hsms[0].EniIp' --filters clusterIds="$east")
configuration east.cfg "$address"
cloudhsm_mgmt_util east.cfg < "$here/east.txt"
until_state ACTIVE "$east"
key_mgmt_util east.cfg singlecmd loginHSM -u CU -s alice -p alicepw1 genSymKey -t 31 -s 32 -l before

echo "== Another HSM, with a backup, which is copied to the west"
aws cloudhsmv2 create-hsm --cluster-id "$east" --availability-zone us-east-1b
configuration east.cfg "$address"
backup=$(query describe-backups 'Backups[0].BackupId' --filters clusterIds="$east",states=READY)
aws cloudhsmv2 copy-backup-to-region --destination-region us-west-2 --backup-id "$backup"
copy=$(query describe-backups 'Backups[0].BackupId' --filters sourceBackupIds="$backup" --region us-west-2)

echo "== A cluster from the copy"
west=$(query create-cluster Cluster.ClusterId --hsm-type hsm1.medium --subnet-ids subnet-2e358c45 subnet-3e358c46 \
    --source-backup-id "$copy" --region us-west-2)
until_state ACTIVE "$west" --region us-west-2
aws cloudhsmv2 create-hsm --cluster-id "$west" --availability-zone us-west-2a --region us-west-2
aws cloudhsmv2 create-hsm --cluster-id "$west" --availability-zone us-west-2b --region us-west-2
configuration west.cfg \
    "$(query describe-clusters 'Clusters[].Hsms[0].EniIp' --filters clusterIds="$west" --region us-west-2)"

echo "== The east goes on: a password is rotated, a user and a key come"
cloudhsm_mgmt_util east.cfg < "$here/afterwards.txt"
key_mgmt_util east.cfg singlecmd loginHSM -u CU -s alice -p alicepw2 genSymKey -t 31 -s 32 -l after

echo "== syncUser and syncKey bring the west up to date"
jq -s '.[0].servers += .[1].servers | .[0]' east.cfg west.cfg > userSync.cfg
cloudhsm_mgmt_util userSync.cfg < "$here/sync.txt"
