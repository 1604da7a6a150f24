"""Drives every operation of the service with boto3: success, and each modelled error. The endpoint comes from the environment."""

import json
import os
import socket
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import boto3
from botocore.config import Config

EAST, WEST = "us-east-1", "us-west-2"
SUBNETS = ["subnet-0e358c43", "subnet-1e358c44"]


def client(region):
    return boto3.client(
        "cloudhsmv2",
        region_name=region,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


east, west = client(EAST), client(WEST)
wrong = east.exceptions


def refused(kind, call, **members):
    """That a call is refused by an exception of the model; returns what it says."""
    try:
        call(**members)
    except kind as error:
        assert error.response["ResponseMetadata"]["RequestId"], error.response
        return error.response["Error"]["Message"]
    raise AssertionError(f"{members} was not refused")


def clusters(*ids, region=east):
    return region.describe_clusters(Filters={"clusterIds": list(ids)})["Clusters"]


def backups(region=east, **filters):
    return region.describe_backups(Filters=filters)["Backups"]


def sign(csr):
    folder = Path(tempfile.mkdtemp())
    (folder / "c.csr").write_text(csr)
    for words in (
        "req -new -x509 -newkey rsa:2048 -noenc -days 3652 -subj /CN=owner -keyout ca.key -out ca.crt",
        "x509 -req -days 3652 -in c.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out c.crt",
    ):
        subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)
    return (folder / "c.crt").read_text(), (folder / "ca.crt").read_text()


def create_cluster():
    tags = [{"Key": "Name", "Value": "east"}, {"Key": "Cost Center", "Value": ""}]
    policy = {"Type": "DAYS", "Value": "30"}
    made = east.create_cluster(
        HsmType="hsm1.medium", SubnetIds=SUBNETS, TagList=tags, BackupRetentionPolicy=policy, Mode="FIPS"
    )["Cluster"]
    assert made["State"] == "CREATE_IN_PROGRESS" and made["BackupRetentionPolicy"] == policy, made
    assert made["SubnetMapping"] == {"us-east-1a": SUBNETS[0], "us-east-1b": SUBNETS[1]}
    assert abs((datetime.now(timezone.utc) - made["CreateTimestamp"]).total_seconds()) < 60
    assert {tag["Key"] for tag in made["TagList"]} == {"Name", "Cost Center"}
    assert made["SecurityGroup"].startswith("sg-") and made["VpcId"].startswith("vpc-")

    basic = {"HsmType": "hsm1.medium", "SubnetIds": SUBNETS}
    create = east.create_cluster
    assert "'hsmType'" in refused(wrong.CloudHsmInvalidRequestException, create, **{**basic, "HsmType": "big"})
    message = refused(wrong.CloudHsmInvalidRequestException, create, **{**basic, "SubnetIds": ["subnet-x"]})
    assert "Value 'subnet-x' at 'subnetIds.1.member'" in message, message
    for members in (
        {"HsmType": "hsm9.huge"},
        {"SubnetIds": SUBNETS[:1] * 2},
        {"Mode": "NON_FIPS"},
        {"BackupRetentionPolicy": {"Type": "DAYS", "Value": "6"}},
        {"BackupRetentionPolicy": {"Type": "DAYS", "Value": "380"}},
    ):
        refused(wrong.CloudHsmInvalidRequestException, create, **{**basic, **members})
    none = "backup-22222222222"
    refused(wrong.CloudHsmResourceNotFoundException, create, **basic, SourceBackupId=none)
    other = f"arn:aws:cloudhsm:us-east-1:123456789012:backup/{none}"
    refused(wrong.CloudHsmAccessDeniedException, create, **basic, SourceBackupId=other)
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    refused(wrong.CloudHsmTagException, create, **basic, TagList=twice)
    refused(wrong.CloudHsmTagException, create, **basic, TagList=[{"Key": "aws:x", "Value": "1"}])
    return made["ClusterId"]


def create_hsm(cluster):
    zone = {"ClusterId": cluster, "AvailabilityZone": "us-east-1a"}
    refused(wrong.CloudHsmInvalidRequestException, east.create_hsm, **{**zone, "AvailabilityZone": "us-east-1f"})
    refused(wrong.CloudHsmInvalidRequestException, east.create_hsm, **zone, IpAddress="10.0.1.12")
    refused(wrong.CloudHsmResourceNotFoundException, west.create_hsm, **zone)
    missing = {**zone, "ClusterId": "cluster-22222222222"}
    refused(wrong.CloudHsmResourceNotFoundException, east.create_hsm, **missing)
    assert "at 'clusterId'" in refused(
        wrong.CloudHsmInvalidRequestException, east.create_hsm, **{**zone, "ClusterId": "cluster-1"}
    )
    hsm = east.create_hsm(**zone)["Hsm"]
    assert hsm["State"] == "CREATE_IN_PROGRESS" and hsm["SubnetId"] == SUBNETS[0], hsm
    refused(wrong.CloudHsmInvalidRequestException, east.create_hsm, **zone)
    refused(wrong.CloudHsmInvalidRequestException, east.delete_cluster, ClusterId=cluster)
    # As Terraform looks for it.
    [found] = [h for c in east.describe_clusters()["Clusters"] for h in c["Hsms"] if h["EniId"] == hsm["EniId"]]
    assert found["HsmId"] == hsm["HsmId"] and found["State"] == "ACTIVE", found
    return hsm


def initialize_cluster(cluster):
    [described] = clusters(cluster)
    certificates = described["Certificates"]
    assert described["State"] == "UNINITIALIZED" and len(certificates) == 4, described
    signed, anchor = sign(certificates["ClusterCsr"])
    both = {"ClusterId": cluster, "SignedCert": signed, "TrustAnchor": anchor}
    initialize = east.initialize_cluster
    for members in ({"SignedCert": anchor}, {"TrustAnchor": signed}, {"SignedCert": "x"}):
        message = refused(wrong.CloudHsmInvalidRequestException, initialize, **{**both, **members})
        assert message.startswith(("SignedCert: ", "TrustAnchor: ")), message
    refused(wrong.CloudHsmResourceNotFoundException, west.initialize_cluster, **both)
    done = initialize(**both)
    assert done["State"] == "INITIALIZE_IN_PROGRESS", done
    [described] = clusters(cluster)
    assert described["State"] == "INITIALIZED" and described["PreCoPassword"] == "password", described
    assert "ClusterCsr" not in described["Certificates"]
    assert described["Certificates"]["ClusterCertificate"].split() == signed.split()
    refused(wrong.CloudHsmInvalidRequestException, initialize, **both)


def modify_cluster(cluster):
    modify = east.modify_cluster
    refused(wrong.CloudHsmInvalidRequestException, modify, ClusterId=cluster)
    refused(wrong.CloudHsmResourceNotFoundException, modify, ClusterId="cluster-22222222222", HsmType="hsm2m.medium")
    policy = {"Type": "DAYS", "Value": "7"}
    assert modify(ClusterId=cluster, BackupRetentionPolicy=policy)["Cluster"]["BackupRetentionPolicy"] == policy
    changed = modify(ClusterId=cluster, HsmType="hsm2m.medium")["Cluster"]
    assert changed["State"] == "MODIFY_IN_PROGRESS" and "HsmTypeRollbackExpiration" in changed, changed
    back = modify(ClusterId=cluster, HsmType="hsm1.medium")["Cluster"]
    assert back["State"] == "ROLLBACK_IN_PROGRESS" and "HsmTypeRollbackExpiration" not in back, back
    refused(wrong.CloudHsmInvalidRequestException, modify, ClusterId=cluster, HsmType="hsm3.medium")


def delete_hsm(cluster, hsm):
    delete = east.delete_hsm
    refused(wrong.CloudHsmInvalidRequestException, delete, ClusterId=cluster)
    both = {"HsmId": hsm["HsmId"], "EniId": hsm["EniId"]}
    refused(wrong.CloudHsmInvalidRequestException, delete, ClusterId=cluster, **both)
    refused(wrong.CloudHsmResourceNotFoundException, delete, ClusterId=cluster, EniIp="127.9.9.9")
    for name in ("HsmId", "EniId", "EniIp"):
        assert delete(ClusterId=cluster, **{name: hsm[name]})["HsmId"] == hsm["HsmId"]
        assert clusters(cluster)[0]["Hsms"] == []
        hsm = east.create_hsm(ClusterId=cluster, AvailabilityZone="us-east-1b")["Hsm"]
    wanted = hsm["EniIp"].rsplit(".", 1)[0] + ".77"
    more = east.create_hsm(ClusterId=cluster, AvailabilityZone="us-east-1b", IpAddress=wanted)["Hsm"]
    assert more["EniIp"] == wanted, more
    zone = {"ClusterId": cluster, "AvailabilityZone": "us-east-1b"}
    assert wanted in refused(wrong.CloudHsmInvalidRequestException, east.create_hsm, **zone, IpAddress=wanted)


def describe_backups(cluster):
    made = backups(clusterIds=[cluster])
    assert len(made) == 4 and all(backup["BackupState"] == "READY" for backup in made), made
    times = [backup["CreateTimestamp"] for backup in made]
    assert times == sorted(times, reverse=True)
    ascending = east.describe_backups(SortAscending=True)["Backups"]
    assert [backup["CreateTimestamp"] for backup in ascending] == sorted(times)
    assert east.describe_backups(Shared=True)["Backups"] == []
    assert backups(states=["PENDING_DELETION"]) == backups(neverExpires=["true"]) == []
    assert backups(backupIds=[made[0]["BackupId"], "backup-22222222222"]) == made[:1]
    refused(wrong.CloudHsmInvalidRequestException, east.describe_backups, Filters={"colour": ["red"]})
    refused(wrong.CloudHsmInvalidRequestException, east.describe_backups, MaxResults=51)
    refused(wrong.CloudHsmInvalidRequestException, east.describe_backups, NextToken="?")
    pages = east.get_paginator("describe_backups").paginate(PaginationConfig={"PageSize": 1})
    assert [backup for page in pages for backup in page["Backups"]] == made
    return made[0]


def change_backup(backup):
    which = {"BackupId": backup["BackupId"]}
    never = {"BackupId": "backup-22222222222"}
    refused(wrong.CloudHsmInvalidRequestException, east.restore_backup, **which)
    gone = east.delete_backup(**which)["Backup"]
    assert gone["BackupState"] == "PENDING_DELETION", gone
    week = (gone["DeleteTimestamp"] - datetime.now(timezone.utc)).total_seconds()
    assert abs(week - 7 * 86400) < 60, gone
    refused(wrong.CloudHsmInvalidRequestException, east.delete_backup, **which)
    refused(wrong.CloudHsmInvalidRequestException, east.modify_backup_attributes, **which, NeverExpires=True)
    away = {**which, "DestinationRegion": WEST}
    refused(wrong.CloudHsmInvalidRequestException, east.copy_backup_to_region, **away)
    assert "DeleteTimestamp" not in east.restore_backup(**which)["Backup"]
    assert east.modify_backup_attributes(**which, NeverExpires=True)["Backup"]["NeverExpires"] is True
    assert [found["BackupId"] for found in backups(neverExpires=["true"])] == [which["BackupId"]]
    for call in (east.delete_backup, east.restore_backup):
        refused(wrong.CloudHsmResourceNotFoundException, call, **never)
        assert "'backupId'" in refused(wrong.CloudHsmInvalidRequestException, call, BackupId="b")
    refused(wrong.CloudHsmResourceNotFoundException, east.modify_backup_attributes, **never, NeverExpires=True)


def copy_backup(backup):
    which = {"BackupId": backup["BackupId"]}
    copy = east.copy_backup_to_region
    refused(wrong.CloudHsmInvalidRequestException, copy, **which, DestinationRegion=EAST)
    refused(wrong.CloudHsmInvalidRequestException, copy, **which, DestinationRegion="the moon")
    refused(wrong.CloudHsmResourceNotFoundException, copy, BackupId="backup-22222222222", DestinationRegion=WEST)
    tags = [{"Key": "a", "Value": "b"}]
    copied = copy(**which, DestinationRegion=WEST, TagList=tags)["DestinationBackup"]
    assert copied["SourceBackup"] == which["BackupId"] and copied["SourceRegion"] == EAST, copied
    [there] = backups(west, sourceBackupIds=[which["BackupId"]])
    assert there["CreateTimestamp"] == backup["CreateTimestamp"] == copied["CreateTimestamp"]
    assert there["CopyTimestamp"] > there["CreateTimestamp"] and there["TagList"] == tags, there
    assert there["BackupArn"] == f"arn:aws:cloudhsm:us-west-2:000000000000:backup/{there['BackupId']}"
    for source in (there["BackupId"], there["BackupArn"]):
        made = west.create_cluster(HsmType="hsm2m.medium", SubnetIds=SUBNETS[:1], SourceBackupId=source)
        [made] = clusters(made["Cluster"]["ClusterId"], region=west)
        # Nobody has activated the original.
        assert made["State"] == "INITIALIZED" and made["SourceBackupId"] == there["BackupId"], made
    refused(
        wrong.CloudHsmInvalidRequestException,
        west.create_cluster,
        HsmType="hsm2m.medium",
        SubnetIds=SUBNETS,
        SourceBackupId=there["BackupId"],
        Mode="NON_FIPS",
    )
    return made["ClusterId"]


def tags(resource):
    several = [{"Key": f"key{n:02}", "Value": str(n)} for n in range(45)]
    east.tag_resource(ResourceId=resource, TagList=several)
    more = [{"Key": f"more{n}", "Value": ""} for n in range(10)]
    refused(wrong.CloudHsmResourceLimitExceededException, east.tag_resource, ResourceId=resource, TagList=more)
    refused(wrong.CloudHsmTagException, east.tag_resource, ResourceId=resource, TagList=more[:1] * 2)
    east.untag_resource(ResourceId=resource, TagKeyList=["key00", "nothing"])
    pages = east.get_paginator("list_tags").paginate(ResourceId=resource, PaginationConfig={"PageSize": 7})
    pages = [page["TagList"] for page in pages]
    listed = [tag["Key"] for page in pages for tag in page]
    assert set(listed) >= {f"key{n:02}" for n in range(1, 45)} and "key00" not in listed, listed
    assert len(pages) == -(-len(listed) // 7) and len(set(listed)) == len(listed), pages
    for call, members in (
        (east.tag_resource, {"TagList": more[:1]}),
        (east.untag_resource, {"TagKeyList": ["a"]}),
        (east.list_tags, {}),
    ):
        refused(wrong.CloudHsmResourceNotFoundException, call, ResourceId="cluster-22222222222", **members)
        refused(wrong.CloudHsmInvalidRequestException, call, ResourceId="vpc-1", **members)


def policies(backup, cluster):
    arn = {"ResourceArn": backup["BackupArn"]}
    policy = json.dumps({"Version": "2012-10-17"})
    assert "Policy" not in east.get_resource_policy(**arn)
    assert east.put_resource_policy(**arn, Policy=policy)["Policy"] == policy
    assert east.get_resource_policy(**arn)["Policy"] == policy
    refused(wrong.CloudHsmInvalidRequestException, east.put_resource_policy, **arn, Policy="no")
    refused(wrong.CloudHsmInvalidRequestException, east.put_resource_policy, **arn)
    assert east.delete_resource_policy(**arn)["Policy"] == policy
    assert "Policy" not in east.get_resource_policy(**arn)
    for call, members in (
        (east.put_resource_policy, {"Policy": policy}),
        (east.get_resource_policy, {}),
        (east.delete_resource_policy, {}),
    ):
        other = arn["ResourceArn"].replace(":000000000000:", ":123456789012:")
        refused(wrong.CloudHsmAccessDeniedException, call, ResourceArn=other, **members)
        none = arn["ResourceArn"].rsplit("/", 1)[0] + "/backup-22222222222"
        refused(wrong.CloudHsmResourceNotFoundException, call, ResourceArn=none, **members)
        of_cluster = f"arn:aws:cloudhsm:us-east-1:000000000000:cluster/{cluster}"
        refused(wrong.CloudHsmInvalidRequestException, call, ResourceArn=of_cluster, **members)


def describe_clusters(cluster):
    for _ in range(3):
        east.create_cluster(HsmType="hsm2m.medium", SubnetIds=SUBNETS, Mode="NON_FIPS", NetworkType="DUALSTACK")
    pages = list(east.get_paginator("describe_clusters").paginate(PaginationConfig={"PageSize": 3}))
    found = [one["ClusterId"] for page in pages for one in page["Clusters"]]
    assert len(found) == 4 and found[0] == cluster and len(pages) == 2, found
    by_state = east.describe_clusters(Filters={"states": ["UNINITIALIZED"]})["Clusters"]
    assert [one["ClusterId"] for one in by_state] == found[1:]
    assert east.describe_clusters(Filters={"vpcIds": ["vpc-0"]})["Clusters"] == []
    refused(wrong.CloudHsmInvalidRequestException, east.describe_clusters, MaxResults=26)
    refused(wrong.CloudHsmInvalidRequestException, east.describe_clusters, Filters={"a b": []})
    refused(wrong.CloudHsmInvalidRequestException, east.describe_clusters, Filters={"colour": ["red"]})
    return found[1:]


def troubles(cluster, zone="us-east-1a"):
    """What is neither the client's fault nor the cluster's: no address is free, and a disk that fails."""
    address = clusters(cluster)[0]["Hsms"][0]["EniIp"]
    net = address.split(".")[1]
    taken = []
    for host in range(4, 255):
        taken.append(socket.socket())
        taken[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken[-1].bind((f"127.{net}.1.{host}", int(os.environ["HSM_PORT"])))
        taken[-1].listen()
    where = {"ClusterId": cluster, "AvailabilityZone": zone}
    assert f"127.{net}.1.0/24" in refused(wrong.CloudHsmServiceException, east.create_hsm, **where)
    for each in taken:
        each.close()

    file = Path(os.environ["ACCOUNT"], "account.json")
    aside = file.rename(file.with_name("aside"))
    file.mkdir()
    (file / "not empty").touch()
    before = clusters(cluster)
    tag = {"ResourceId": cluster, "TagList": [{"Key": "late", "Value": "1"}]}
    refused(wrong.CloudHsmInternalFailureException, east.tag_resource, **tag)
    refused(wrong.CloudHsmInternalFailureException, east.create_hsm, **where)
    assert clusters(cluster) == before
    (file / "not empty").unlink()
    file.rmdir()
    aside.rename(file)
    east.tag_resource(**tag)
    assert east.create_hsm(**where)["Hsm"]["State"] == "CREATE_IN_PROGRESS"


def delete_cluster(cluster, others):
    refused(wrong.CloudHsmInvalidRequestException, east.delete_cluster, ClusterId=cluster)
    for other in others:
        assert east.delete_cluster(ClusterId=other)["Cluster"]["State"] == "DELETE_IN_PROGRESS"
        assert clusters(other)[0]["State"] == "DELETED"
        refused(wrong.CloudHsmResourceNotFoundException, east.delete_cluster, ClusterId=other)


def main():
    cluster = create_cluster()
    hsm = create_hsm(cluster)
    initialize_cluster(cluster)
    modify_cluster(cluster)
    delete_hsm(cluster, hsm)
    backup = describe_backups(cluster)
    change_backup(backup)
    copy_backup(backup)
    tags(cluster)
    tags(backup["BackupId"])
    policies(backup, cluster)
    others = describe_clusters(cluster)
    troubles(cluster)
    delete_cluster(cluster, others)
    print("done")


main()
