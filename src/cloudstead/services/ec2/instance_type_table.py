"""The instance types, as AWS describes them. Read by instance_types.py.

A family's line: its name, who makes the processor, its clock in GHz, architectures, how it supports ENA, NVMe and EBS
optimisation, and what holds for all its sizes. A size's line:

    name, vCPUs, cores, memory in GiB, network performance (~ is "Up to", a number alone is Gigabit),
    network baseline/peak in Gbit/s, interfaces x addresses for each, EBS attachments,
    EBS Mbit/s baseline/most/IOPS baseline/most (- if it cannot be EBS optimised), disks of its own, what holds for it

Bare metal and accelerated types are left out: this machine cannot be one.
"""

TABLE = """\
t1: Intel - x86_64+i386 ena=unsupported nvme=unsupported ebs=unsupported auto-recovery reboot-migration bios spot paravirtual
micro 1 1 0.6123046875 Very-Low 0.07/0.28 2x2 39 - -
t2: Intel 2.3 x86_64+i386 ena=unsupported nvme=unsupported ebs=unsupported current burstable hibernation auto-recovery reboot-migration ipv6 bios
nano 1 1 0.5 Low-to-Moderate 0.032/0.512 2x2 40 - - ghz=2.4
micro 1 1 1 Low-to-Moderate 0.064/1.024 2x2 40 - - spot ghz=2.5
small 1 1 2 Low-to-Moderate 0.128/1.024 3x4 40 - - spot ghz=2.5
medium 2 2 4 Low-to-Moderate 0.256/1.024 3x6 40 - - spot
large 2 2 8 Low-to-Moderate 0.512/1.024 3x12 40 - - spot arch=x86_64
xlarge 4 4 16 Moderate 0.75/1.024 3x15 40 - - spot arch=x86_64
2xlarge 8 8 32 Moderate 1/1.024 3x15 40 - - spot arch=x86_64
t3: Intel 2.5 x86_64 ena=required nvme=required ebs=default current burstable nitro hibernation dedicated-hosts auto-recovery tpm reboot-migration ipv6 bios uefi spot
nano 2 1 0.5 ~5 0.032/5 2x2 27 43/2085/250/11800 -
micro 2 1 1 ~5 0.064/5 2x2 27 87/2085/500/11800 - free-tier
small 2 1 2 ~5 0.128/5 3x4 27 174/2085/1000/11800 - free-tier
medium 2 1 4 ~5 0.256/5 3x6 27 347/2085/2000/11800 -
large 2 1 8 ~5 0.512/5 3x12 27 695/2780/4000/15700 -
xlarge 4 2 16 ~5 1.024/5 4x15 27 695/2780/4000/15700 -
2xlarge 8 4 32 ~5 2.048/5 4x15 27 695/2780/4000/15700 -
t3a: AMD 2.2 x86_64 ena=required nvme=required ebs=default current burstable nitro hibernation auto-recovery tpm reboot-migration ipv6 bios uefi spot
nano 2 1 0.5 ~5 0.032/5 2x2 27 45/2085/250/11800 -
micro 2 1 1 ~5 0.064/5 2x2 27 90/2085/500/11800 -
small 2 1 2 ~5 0.128/5 2x4 27 175/2085/1000/11800 -
medium 2 1 4 ~5 0.256/5 3x6 27 350/2085/2000/11800 -
large 2 1 8 ~5 0.512/5 3x12 27 695/2780/4000/15700 -
xlarge 4 2 16 ~5 1.024/5 4x15 27 695/2780/4000/15700 -
2xlarge 8 4 32 ~5 2.048/5 4x15 27 695/2780/4000/15700 -
t4g: AWS 2.5 arm64 ena=required nvme=required ebs=default current burstable nitro hibernation auto-recovery tpm reboot-migration ipv6 uefi spot
nano 2 2 0.5 ~5 0.032/5 2x2 27 43/2085/250/11800 -
micro 2 2 1 ~5 0.064/5 2x2 27 87/2085/500/11800 - free-tier
small 2 2 2 ~5 0.128/5 3x4 27 174/2085/1000/11800 - free-tier
medium 2 2 4 ~5 0.256/5 3x6 27 347/2085/2000/11800 -
large 2 2 8 ~5 0.512/5 3x12 27 695/2780/4000/15700 -
xlarge 4 4 16 ~5 1.024/5 4x15 27 695/2780/4000/15700 -
2xlarge 8 8 32 ~5 2.048/5 4x15 27 695/2780/4000/15700 -
m1: Intel - x86_64+i386 ena=unsupported nvme=unsupported ebs=unsupported bios spot instance-store paravirtual
small 1 1 1.69921875 Low 0.3/1.2 2x4 39 - 1x160hdd
medium 1 1 3.69921875 Moderate 0.3/1.2 2x6 39 - 1x410hdd
large 2 2 7.5 Moderate 0.7/2.8 3x10 39 500/500/4000/4000 2x420hdd arch=x86_64 ebs=supported
xlarge 4 4 15 High 1/10 4x15 39 1000/1000/8000/8000 4x420hdd arch=x86_64 ebs=supported
m3: Intel 2.5 x86_64 ena=unsupported nvme=unsupported ebs=unsupported hibernation dedicated-hosts auto-recovery bios spot instance-store paravirtual
medium 1 1 3.75 Moderate 0.3/1.2 2x6 39 - 1x4ssd
large 2 1 7.5 Moderate 0.7/2.8 3x10 39 - 1x32ssd
xlarge 4 2 15 High 1/10 4x15 39 500/500/4000/4000 2x40ssd ebs=supported
2xlarge 8 4 30 High 1/10 4x30 39 1000/1000/8000/8000 2x80ssd ebs=supported
m4: Intel 2.4 x86_64 ena=unsupported nvme=unsupported ebs=default auto-recovery reboot-migration ipv6 bios cluster spot
large 2 1 8 Moderate 0.45/1.2 2x10 40 450/450/3600/3600 - hibernation dedicated-hosts
xlarge 4 2 16 High 0.75/2.8 4x15 40 750/750/6000/6000 - hibernation dedicated-hosts
2xlarge 8 4 32 High 1/10 4x15 40 1000/1000/8000/8000 - hibernation dedicated-hosts
4xlarge 16 8 64 High 2/10 8x30 40 2000/2000/16000/16000 - hibernation dedicated-hosts
10xlarge 40 20 160 10 10/10 8x30 40 4000/4000/32000/32000 - dedicated-hosts
16xlarge 64 32 256 25 25/25 8x30 40 10000/10000/65000/65000 - ghz=2.3 ena=supported
m5: Intel 3.1 x86_64 ena=required nvme=required ebs=default nitro dedicated-hosts auto-recovery tpm reboot-migration ipv6 bios uefi cluster spot
large 2 1 8 ~10 0.75/10 3x10 27 650/4750/3600/18750 - hibernation
xlarge 4 2 16 ~10 1.25/10 4x15 27 1150/4750/6000/18750 - hibernation enclaves
2xlarge 8 4 32 ~10 2.5/10 4x15 27 2300/4750/12000/18750 - hibernation enclaves
4xlarge 16 8 64 ~10 5/10 8x30 27 4750/4750/18750/18750 - hibernation enclaves
8xlarge 32 16 128 10 10/10 8x30 27 6800/6800/30000/30000 - hibernation enclaves
12xlarge 48 24 192 12 12/12 8x30 27 9500/9500/40000/40000 - enclaves
16xlarge 64 32 256 20 20/20 15x50 27 13600/13600/60000/60000 - enclaves
24xlarge 96 48 384 25 25/25 15x50 27 19000/19000/80000/80000 - enclaves
m5a: AMD 2.5 x86_64 ena=required nvme=required ebs=default current nitro auto-recovery tpm reboot-migration ipv6 bios uefi cluster spot
large 2 1 8 ~10 0.75/10 3x10 27 650/2880/3600/16000 - hibernation
xlarge 4 2 16 ~10 1.25/10 4x15 27 1085/2880/6000/16000 - hibernation enclaves
2xlarge 8 4 32 ~10 2.5/10 4x15 27 1580/2880/8333/16000 - hibernation enclaves
4xlarge 16 8 64 ~10 5/10 8x30 27 2880/2880/16000/16000 - hibernation enclaves
8xlarge 32 16 128 ~10 7.5/10 8x30 27 4750/4750/20000/20000 - hibernation enclaves
12xlarge 48 24 192 10 10/10 8x30 27 6780/6780/30000/30000 - enclaves
16xlarge 64 32 256 12 12/12 15x50 27 9500/9500/40000/40000 - enclaves
24xlarge 96 48 384 20 20/20 15x50 27 13750/13750/60000/60000 - enclaves
m5d: Intel 3.1 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts tpm ipv6 bios uefi cluster spot
large 2 1 8 ~10 0.75/10 3x10 26 650/4750/3600/18750 1x75ssd hibernation
xlarge 4 2 16 ~10 1.25/10 4x15 26 1150/4750/6000/18750 1x150ssd hibernation enclaves
2xlarge 8 4 32 ~10 2.5/10 4x15 26 2300/4750/12000/18750 1x300ssd hibernation enclaves
4xlarge 16 8 64 ~10 5/10 8x30 25 4750/4750/18750/18750 2x300ssd hibernation enclaves
8xlarge 32 16 128 10 10/10 8x30 25 6800/6800/30000/30000 2x600ssd hibernation enclaves
12xlarge 48 24 192 12 12/12 8x30 25 9500/9500/40000/40000 2x900ssd enclaves
16xlarge 64 32 256 20 20/20 15x50 23 13600/13600/60000/60000 4x600ssd enclaves
24xlarge 96 48 384 25 25/25 15x50 23 19000/19000/80000/80000 4x900ssd enclaves
m6a: AMD 3.6 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 8 ~12.5 0.781/12.5 3x10 27 650/10000/3600/40000 - hibernation
xlarge 4 2 16 ~12.5 1.562/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 4 32 ~12.5 3.125/12.5 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 8 64 ~12.5 6.25/12.5 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 16 128 12.5 12.5/12.5 8x30 27 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 24 192 18.75 18.75/18.75 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 32 256 25 25/25 15x50 27 20000/20000/80000/80000 - enclaves
24xlarge 96 48 384 37.5 37.5/37.5 15x50 27 30000/30000/120000/120000 - enclaves
32xlarge 128 64 512 50 50/50 15x50 27 40000/40000/160000/160000 - enclaves
48xlarge 192 96 768 50 50/50 15x50 27 40000/40000/240000/240000 - enclaves efa
m6g: AWS 2.5 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm reboot-migration ipv6 uefi cluster spot
medium 1 1 4 ~10 0.5/10 2x4 27 315/4750/2500/20000 - hibernation
large 2 2 8 ~10 0.75/10 3x10 27 630/4750/3600/20000 - hibernation enclaves
xlarge 4 4 16 ~10 1.25/10 4x15 27 1188/4750/6000/20000 - hibernation enclaves
2xlarge 8 8 32 ~10 2.5/10 4x15 27 2375/4750/12000/20000 - hibernation enclaves
4xlarge 16 16 64 ~10 5/10 8x30 27 4750/4750/20000/20000 - hibernation enclaves
8xlarge 32 32 128 12 12/12 8x30 27 9500/9500/40000/40000 - hibernation enclaves
12xlarge 48 48 192 20 20/20 8x30 27 14250/14250/50000/50000 - enclaves
16xlarge 64 64 256 25 25/25 15x50 27 19000/19000/80000/80000 - enclaves
m6i: Intel 3.5 x86_64 ena=required nvme=required ebs=default nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 8 ~12.5 0.781/12.5 3x10 27 650/10000/3600/40000 - hibernation
xlarge 4 2 16 ~12.5 1.562/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 4 32 ~12.5 3.125/12.5 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 8 64 ~12.5 6.25/12.5 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 16 128 12.5 12.5/12.5 8x30 27 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 24 192 18.75 18.75/18.75 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 32 256 25 25/25 15x50 27 20000/20000/80000/80000 - enclaves
24xlarge 96 48 384 37.5 37.5/37.5 15x50 27 30000/30000/120000/120000 - enclaves
32xlarge 128 64 512 50 50/50 15x50 27 40000/40000/160000/160000 - enclaves efa
m7a: AMD 3.7 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot own-attachments
medium 1 1 4 ~12.5 0.39/12.5 2x4 32 325/10000/2500/40000 - hibernation
large 2 2 8 ~12.5 0.781/12.5 3x10 32 650/10000/3600/40000 - hibernation
xlarge 4 4 16 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 32 ~12.5 3.125/12.5 4x15 32 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 64 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 128 12.5 12.5/12.5 8x30 32 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 48 192 18.75 18.75/18.75 8x30 32 15000/15000/60000/60000 - enclaves
16xlarge 64 64 256 25 25/25 15x50 48 20000/20000/80000/80000 - enclaves
24xlarge 96 96 384 37.5 37.5/37.5 15x50 64 30000/30000/120000/120000 - enclaves
32xlarge 128 128 512 50 50/50 15x50 88 40000/40000/160000/160000 - enclaves
48xlarge 192 192 768 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa
m7g: AWS 2.6 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 uefi cluster spot
medium 1 1 4 ~12.5 0.52/12.5 2x4 27 315/10000/2500/40000 - hibernation
large 2 2 8 ~12.5 0.937/12.5 3x10 27 630/10000/3600/40000 - hibernation enclaves
xlarge 4 4 16 ~12.5 1.876/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 32 ~15 3.75/15 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 64 ~15 7.5/15 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 128 15 15/15 8x30 27 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 48 192 22.5 22.5/22.5 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 64 256 30 30/30 15x50 27 20000/20000/80000/80000 - enclaves efa
m7i: Intel 3.2 x86_64 ena=required nvme=required ebs=default current nitro auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot own-attachments
large 2 1 8 ~12.5 0.781/12.5 3x10 32 650/10000/3600/40000 - hibernation dedicated-hosts
xlarge 4 2 16 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 - hibernation dedicated-hosts enclaves
2xlarge 8 4 32 ~12.5 3.125/12.5 4x15 32 2500/10000/12000/40000 - hibernation dedicated-hosts enclaves
4xlarge 16 8 64 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 - hibernation dedicated-hosts enclaves
8xlarge 32 16 128 12.5 12.5/12.5 8x30 32 10000/10000/40000/40000 - hibernation dedicated-hosts enclaves
12xlarge 48 24 192 18.75 18.75/18.75 8x30 32 15000/15000/60000/60000 - dedicated-hosts enclaves
16xlarge 64 32 256 25 25/25 15x50 48 20000/20000/80000/80000 - dedicated-hosts enclaves
24xlarge 96 48 384 37.5 37.5/37.5 15x50 64 30000/30000/120000/120000 - enclaves
48xlarge 192 96 768 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa
m7i-flex: Intel 3.2 x86_64 ena=required nvme=required ebs=default current nitro hibernation auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi spot own-attachments
large 2 1 8 ~12.5 0.39/12.5 3x10 32 312/10000/2500/40000 - free-tier
xlarge 4 2 16 ~12.5 0.781/12.5 4x15 32 625/10000/3600/40000 -
2xlarge 8 4 32 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 -
4xlarge 16 8 64 ~12.5 3.125/12.5 8x30 32 2500/10000/12000/40000 -
8xlarge 32 16 128 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 -
12xlarge 48 24 192 ~18.75 9.375/18.75 8x30 32 7500/15000/30000/60000 -
16xlarge 64 32 256 ~25 12.5/25 15x50 48 10000/20000/40000/80000 -
m8g: AWS 2.8 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 uefi cluster spot own-attachments
medium 1 1 4 ~12.5 0.52/12.5 2x4 32 315/10000/2500/40000 - hibernation
large 2 2 8 ~12.5 0.937/12.5 3x10 32 630/10000/3600/40000 - hibernation enclaves
xlarge 4 4 16 ~12.5 1.875/12.5 4x15 32 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 32 ~15 3.75/15 4x15 32 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 64 ~15 7.5/15 8x30 32 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 128 15 15/15 8x30 32 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 48 192 22.5 22.5/22.5 8x30 32 15000/15000/60000/60000 - enclaves
16xlarge 64 64 256 30 30/30 15x50 48 20000/20000/80000/80000 - enclaves
24xlarge 96 96 384 40 40/40 15x50 64 30000/30000/120000/120000 - enclaves efa
48xlarge 192 192 768 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa ghz=2.7
c4: Intel 2.9 x86_64 ena=unsupported nvme=unsupported ebs=default hibernation dedicated-hosts auto-recovery reboot-migration ipv6 bios cluster spot
large 2 1 3.75 Moderate 0.625/1.2 3x10 40 500/500/4000/4000 -
xlarge 4 2 7.5 High 1.25/2.8 4x15 40 750/750/6000/6000 -
2xlarge 8 4 15 High 2.5/10 4x15 40 1000/1000/8000/8000 -
4xlarge 16 8 30 High 5/10 8x30 40 2000/2000/16000/16000 -
8xlarge 36 18 60 10 10/10 8x30 40 4000/4000/32000/32000 -
c5: Intel 3.4 x86_64 ena=required nvme=required ebs=default nitro auto-recovery tpm reboot-migration ipv6 bios uefi cluster spot
large 2 1 4 ~10 0.75/10 3x10 27 650/4750/4000/20000 - hibernation dedicated-hosts
xlarge 4 2 8 ~10 1.25/10 4x15 27 1150/4750/6000/20000 - hibernation dedicated-hosts enclaves
2xlarge 8 4 16 ~10 2.5/10 4x15 27 2300/4750/10000/20000 - hibernation dedicated-hosts enclaves
4xlarge 16 8 32 ~10 5/10 8x30 27 4750/4750/20000/20000 - hibernation dedicated-hosts enclaves
9xlarge 36 18 72 12 12/12 8x30 27 9500/9500/40000/40000 - hibernation dedicated-hosts enclaves
12xlarge 48 24 96 12 12/12 8x30 27 9500/9500/40000/40000 - hibernation dedicated-hosts enclaves ghz=3.6
18xlarge 72 36 144 25 25/25 15x50 27 19000/19000/80000/80000 - hibernation dedicated-hosts enclaves
24xlarge 96 48 192 25 25/25 15x50 27 19000/19000/80000/80000 - enclaves ghz=3.6
c5a: AMD 3.3 x86_64 ena=required nvme=required ebs=default current nitro auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 4 ~10 0.75/10 3x10 27 200/3170/800/13300 -
xlarge 4 2 8 ~10 1.25/10 4x15 27 400/3170/1600/13300 - enclaves
2xlarge 8 4 16 ~10 2.5/10 4x15 27 800/3170/3200/13300 - enclaves
4xlarge 16 8 32 ~10 5/10 8x30 27 1580/3170/6600/13300 - enclaves
8xlarge 32 16 64 10 10/10 8x30 27 3170/3170/13300/13300 - enclaves
12xlarge 48 24 96 12 12/12 8x30 27 4750/4750/20000/20000 - enclaves
16xlarge 64 32 128 20 20/20 15x50 27 6300/6300/26700/26700 - enclaves
24xlarge 96 48 192 20 20/20 15x50 27 9500/9500/40000/40000 - enclaves
c5d: Intel 3.4 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts tpm ipv6 bios uefi cluster spot
large 2 1 4 ~10 0.75/10 3x10 26 650/4750/4000/20000 1x50ssd hibernation
xlarge 4 2 8 ~10 1.25/10 4x15 26 1150/4750/6000/20000 1x100ssd hibernation enclaves
2xlarge 8 4 16 ~10 2.5/10 4x15 26 2300/4750/10000/20000 1x200ssd hibernation enclaves
4xlarge 16 8 32 ~10 5/10 8x30 26 4750/4750/20000/20000 1x400ssd hibernation enclaves
9xlarge 36 18 72 12 12/12 8x30 26 9500/9500/40000/40000 1x900ssd hibernation enclaves
12xlarge 48 24 96 12 12/12 8x30 25 9500/9500/40000/40000 2x900ssd hibernation enclaves ghz=3.6
18xlarge 72 36 144 25 25/25 15x50 25 19000/19000/80000/80000 2x900ssd hibernation enclaves
24xlarge 96 48 192 25 25/25 15x50 23 19000/19000/80000/80000 4x900ssd enclaves ghz=3.6
c5n: Intel 3.4 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 5.25 ~25 3/25 3x10 27 650/4750/4000/20000 -
xlarge 4 2 10.5 ~25 5/25 4x15 27 1150/4750/6000/20000 - enclaves
2xlarge 8 4 21 ~25 10/25 4x15 27 2300/4750/10000/20000 - enclaves
4xlarge 16 8 42 ~25 15/25 8x30 27 4750/4750/20000/20000 - enclaves
9xlarge 36 18 96 50 50/50 8x30 27 9500/9500/40000/40000 - enclaves efa
18xlarge 72 36 192 100 100/100 15x50 27 19000/19000/80000/80000 - enclaves efa
c6a: AMD 3.6 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 4 ~12.5 0.781/12.5 3x10 27 650/10000/3600/40000 - hibernation
xlarge 4 2 8 ~12.5 1.562/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 4 16 ~12.5 3.125/12.5 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 8 32 ~12.5 6.25/12.5 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 16 64 12.5 12.5/12.5 8x30 27 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 24 96 18.75 18.75/18.75 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 32 128 25 25/25 15x50 27 20000/20000/80000/80000 - hibernation enclaves
24xlarge 96 48 192 37.5 37.5/37.5 15x50 27 30000/30000/120000/120000 - enclaves
32xlarge 128 64 256 50 50/50 15x50 27 40000/40000/160000/160000 - enclaves
48xlarge 192 96 384 50 50/50 15x50 27 40000/40000/240000/240000 - enclaves efa
c6g: AWS 2.5 arm64 ena=required nvme=required ebs=default current nitro hibernation dedicated-hosts auto-recovery tpm reboot-migration ipv6 uefi cluster spot
medium 1 1 2 ~10 0.5/10 2x4 27 315/4750/2500/20000 -
large 2 2 4 ~10 0.75/10 3x10 27 630/4750/3600/20000 - enclaves
xlarge 4 4 8 ~10 1.25/10 4x15 27 1188/4750/6000/20000 - enclaves
2xlarge 8 8 16 ~10 2.5/10 4x15 27 2375/4750/12000/20000 - enclaves
4xlarge 16 16 32 ~10 5/10 8x30 27 4750/4750/20000/20000 - enclaves
8xlarge 32 32 64 12 12/12 8x30 27 9500/9500/40000/40000 - enclaves
12xlarge 48 48 96 20 20/20 8x30 27 14250/14250/50000/50000 - enclaves
16xlarge 64 64 128 25 25/25 15x50 27 19000/19000/80000/80000 - enclaves
c6i: Intel 3.5 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 4 ~12.5 0.781/12.5 3x10 27 650/10000/3600/40000 - hibernation
xlarge 4 2 8 ~12.5 1.562/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 4 16 ~12.5 3.125/12.5 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 8 32 ~12.5 6.25/12.5 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 16 64 12.5 12.5/12.5 8x30 27 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 24 96 18.75 18.75/18.75 8x30 27 15000/15000/60000/60000 - hibernation enclaves
16xlarge 64 32 128 25 25/25 15x50 27 20000/20000/80000/80000 - hibernation enclaves
24xlarge 96 48 192 37.5 37.5/37.5 15x50 27 30000/30000/120000/120000 - enclaves
32xlarge 128 64 256 50 50/50 15x50 27 40000/40000/160000/160000 - enclaves efa
c7a: AMD 3.7 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot own-attachments
medium 1 1 2 ~12.5 0.39/12.5 2x4 32 325/10000/2500/40000 - hibernation
large 2 2 4 ~12.5 0.781/12.5 3x10 32 650/10000/3600/40000 - hibernation
xlarge 4 4 8 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 16 ~12.5 3.125/12.5 4x15 32 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 32 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 64 12.5 12.5/12.5 8x30 32 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 48 96 18.75 18.75/18.75 8x30 32 15000/15000/60000/60000 - hibernation enclaves
16xlarge 64 64 128 25 25/25 15x50 48 20000/20000/80000/80000 - hibernation enclaves
24xlarge 96 96 192 37.5 37.5/37.5 15x50 64 30000/30000/120000/120000 - enclaves
32xlarge 128 128 256 50 50/50 15x50 88 40000/40000/160000/160000 - enclaves
48xlarge 192 192 384 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa
c7g: AWS 2.6 arm64 ena=required nvme=required ebs=default current nitro hibernation dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 uefi cluster spot
medium 1 1 2 ~12.5 0.52/12.5 2x4 27 315/10000/2500/40000 -
large 2 2 4 ~12.5 0.937/12.5 3x10 27 630/10000/3600/40000 - enclaves
xlarge 4 4 8 ~12.5 1.876/12.5 4x15 27 1250/10000/6000/40000 - enclaves
2xlarge 8 8 16 ~15 3.75/15 4x15 27 2500/10000/12000/40000 - enclaves
4xlarge 16 16 32 ~15 7.5/15 8x30 27 5000/10000/20000/40000 - enclaves
8xlarge 32 32 64 15 15/15 8x30 27 10000/10000/40000/40000 - enclaves
12xlarge 48 48 96 22.5 22.5/22.5 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 64 128 30 30/30 15x50 27 20000/20000/80000/80000 - enclaves efa
c7i: Intel 3.2 x86_64 ena=required nvme=required ebs=default current nitro auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot own-attachments
large 2 1 4 ~12.5 0.781/12.5 3x10 32 650/10000/3600/40000 - hibernation dedicated-hosts
xlarge 4 2 8 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 - hibernation dedicated-hosts enclaves
2xlarge 8 4 16 ~12.5 3.125/12.5 4x15 32 2500/10000/12000/40000 - hibernation dedicated-hosts enclaves
4xlarge 16 8 32 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 - hibernation dedicated-hosts enclaves
8xlarge 32 16 64 12.5 12.5/12.5 8x30 32 10000/10000/40000/40000 - hibernation dedicated-hosts enclaves
12xlarge 48 24 96 18.75 18.75/18.75 8x30 32 15000/15000/60000/60000 - hibernation dedicated-hosts enclaves
16xlarge 64 32 128 25 25/25 15x50 48 20000/20000/80000/80000 - hibernation dedicated-hosts enclaves
24xlarge 96 48 192 37.5 37.5/37.5 15x50 64 30000/30000/120000/120000 - enclaves
48xlarge 192 96 384 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa
c7i-flex: Intel 3.2 x86_64 ena=required nvme=required ebs=default current nitro hibernation auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi spot own-attachments
large 2 1 4 ~12.5 0.39/12.5 3x10 32 312/10000/2500/40000 - free-tier
xlarge 4 2 8 ~12.5 0.781/12.5 4x15 32 625/10000/3600/40000 -
2xlarge 8 4 16 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 -
4xlarge 16 8 32 ~12.5 3.125/12.5 8x30 32 2500/10000/12000/40000 -
8xlarge 32 16 64 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 -
12xlarge 48 24 96 ~18.75 9.375/18.75 8x30 32 7500/15000/30000/60000 -
16xlarge 64 32 128 ~25 12.5/25 15x50 48 10000/20000/40000/80000 -
c8g: AWS 2.8 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 uefi cluster spot own-attachments
medium 1 1 2 ~12.5 0.52/12.5 2x4 32 315/10000/2500/40000 - hibernation
large 2 2 4 ~12.5 0.937/12.5 3x10 32 630/10000/3600/40000 - hibernation enclaves
xlarge 4 4 8 ~12.5 1.875/12.5 4x15 32 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 16 ~15 3.75/15 4x15 32 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 32 ~15 7.5/15 8x30 32 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 64 15 15/15 8x30 32 10000/10000/40000/40000 - hibernation enclaves
12xlarge 48 48 96 22.5 22.5/22.5 8x30 32 15000/15000/60000/60000 - hibernation enclaves
16xlarge 64 64 128 30 30/30 15x50 48 20000/20000/80000/80000 - hibernation enclaves
24xlarge 96 96 192 40 40/40 15x50 64 30000/30000/120000/120000 - enclaves efa
48xlarge 192 192 384 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa ghz=2.7
r4: Intel 2.3 x86_64 ena=supported nvme=unsupported ebs=default dedicated-hosts auto-recovery reboot-migration ipv6 bios cluster spot
large 2 1 15.25 ~10 0.75/10 3x10 40 425/425/3000/3000 - hibernation
xlarge 4 2 30.5 ~10 1.25/10 4x15 40 850/850/6000/6000 - hibernation
2xlarge 8 4 61 ~10 2.5/10 4x15 40 1700/1700/12000/12000 - hibernation
4xlarge 16 8 122 ~10 5/10 8x30 40 3500/3500/18750/18750 - hibernation
8xlarge 32 16 244 10 12/12 8x30 40 7000/7000/37500/37500 -
16xlarge 64 32 488 25 25/25 15x50 40 14000/14000/75000/75000 -
r5: Intel 3.1 x86_64 ena=required nvme=required ebs=default nitro dedicated-hosts auto-recovery tpm reboot-migration ipv6 bios uefi cluster spot
large 2 1 16 ~10 0.75/10 3x10 27 650/4750/3600/18750 - hibernation
xlarge 4 2 32 ~10 1.25/10 4x15 27 1150/4750/6000/18750 - hibernation enclaves
2xlarge 8 4 64 ~10 2.5/10 4x15 27 2300/4750/12000/18750 - hibernation enclaves
4xlarge 16 8 128 ~10 5/10 8x30 27 4750/4750/18750/18750 - hibernation enclaves
8xlarge 32 16 256 10 10/10 8x30 27 6800/6800/30000/30000 - enclaves
12xlarge 48 24 384 12 12/12 8x30 27 9500/9500/40000/40000 - enclaves
16xlarge 64 32 512 20 20/20 15x50 27 13600/13600/60000/60000 - enclaves
24xlarge 96 48 768 25 25/25 15x50 27 19000/19000/80000/80000 - enclaves
r5a: AMD 2.5 x86_64 ena=required nvme=required ebs=default current nitro auto-recovery tpm reboot-migration ipv6 bios uefi cluster spot
large 2 1 16 ~10 0.75/10 3x10 27 650/2880/3600/16000 - hibernation
xlarge 4 2 32 ~10 1.25/10 4x15 27 1085/2880/6000/16000 - hibernation enclaves
2xlarge 8 4 64 ~10 2.5/10 4x15 27 1580/2880/8333/16000 - hibernation enclaves
4xlarge 16 8 128 ~10 5/10 8x30 27 2880/2880/16000/16000 - hibernation enclaves
8xlarge 32 16 256 ~10 7.5/10 8x30 27 4750/4750/20000/20000 - enclaves
12xlarge 48 24 384 10 10/10 8x30 27 6780/6780/30000/30000 - enclaves
16xlarge 64 32 512 12 12/12 15x50 27 9500/9500/40000/40000 - enclaves
24xlarge 96 48 768 20 20/20 15x50 27 13570/13570/60000/60000 - enclaves
r5d: Intel 3.1 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts tpm ipv6 bios uefi cluster spot
large 2 1 16 ~10 0.75/10 3x10 26 650/4750/3600/18750 1x75ssd hibernation
xlarge 4 2 32 ~10 1.25/10 4x15 26 1150/4750/6000/18750 1x150ssd hibernation enclaves
2xlarge 8 4 64 ~10 2.5/10 4x15 26 2300/4750/12000/18750 1x300ssd hibernation enclaves
4xlarge 16 8 128 ~10 5/10 8x30 25 4750/4750/18750/18750 2x300ssd hibernation enclaves
8xlarge 32 16 256 10 10/10 8x30 25 6800/6800/30000/30000 2x600ssd enclaves
12xlarge 48 24 384 12 12/12 8x30 25 9500/9500/40000/40000 2x900ssd enclaves
16xlarge 64 32 512 20 20/20 15x50 23 13600/13600/60000/60000 4x600ssd enclaves
24xlarge 96 48 768 25 25/25 15x50 23 19000/19000/80000/80000 4x900ssd enclaves
r6a: AMD 3.6 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 16 ~12.5 0.781/12.5 3x10 27 650/10000/3600/40000 - hibernation
xlarge 4 2 32 ~12.5 1.562/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 4 64 ~12.5 3.125/12.5 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 8 128 ~12.5 6.25/12.5 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 16 256 12.5 12.5/12.5 8x30 27 10000/10000/40000/40000 - enclaves
12xlarge 48 24 384 18.75 18.75/18.75 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 32 512 25 25/25 15x50 27 20000/20000/80000/80000 - enclaves
24xlarge 96 48 768 37.5 37.5/37.5 15x50 27 30000/30000/120000/120000 - enclaves
32xlarge 128 64 1024 50 50/50 15x50 27 40000/40000/160000/160000 - enclaves
48xlarge 192 96 1536 50 50/50 15x50 27 40000/40000/240000/240000 - enclaves efa
r6g: AWS 2.5 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm reboot-migration ipv6 uefi cluster spot
medium 1 1 8 ~10 0.5/10 2x4 27 315/4750/2500/20000 - hibernation
large 2 2 16 ~10 0.75/10 3x10 27 630/4750/3600/20000 - hibernation enclaves
xlarge 4 4 32 ~10 1.25/10 4x15 27 1188/4750/6000/20000 - hibernation enclaves
2xlarge 8 8 64 ~10 2.5/10 4x15 27 2375/4750/12000/20000 - hibernation enclaves
4xlarge 16 16 128 ~10 5/10 8x30 27 4750/4750/20000/20000 - hibernation enclaves
8xlarge 32 32 256 12 12/12 8x30 27 9500/9500/40000/40000 - enclaves
12xlarge 48 48 384 20 20/20 8x30 27 14250/14250/50000/50000 - enclaves
16xlarge 64 64 512 25 25/25 15x50 27 19000/19000/80000/80000 - enclaves
r6i: Intel 3.5 x86_64 ena=required nvme=required ebs=default nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot
large 2 1 16 ~12.5 0.781/12.5 3x10 27 650/10000/3600/40000 -
xlarge 4 2 32 ~12.5 1.562/12.5 4x15 27 1250/10000/6000/40000 - enclaves
2xlarge 8 4 64 ~12.5 3.125/12.5 4x15 27 2500/10000/12000/40000 - enclaves
4xlarge 16 8 128 ~12.5 6.25/12.5 8x30 27 5000/10000/20000/40000 - enclaves
8xlarge 32 16 256 12.5 12.5/12.5 8x30 27 10000/10000/40000/40000 - enclaves
12xlarge 48 24 384 18.75 18.75/18.75 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 32 512 25 25/25 15x50 27 20000/20000/80000/80000 - enclaves
24xlarge 96 48 768 37.5 37.5/37.5 15x50 27 30000/30000/120000/120000 - enclaves
32xlarge 128 64 1024 50 50/50 15x50 27 40000/40000/160000/160000 - enclaves efa
r7g: AWS 2.6 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 uefi cluster spot
medium 1 1 8 ~12.5 0.52/12.5 2x4 27 315/10000/2500/40000 - hibernation
large 2 2 16 ~12.5 0.937/12.5 3x10 27 630/10000/3600/40000 - hibernation enclaves
xlarge 4 4 32 ~12.5 1.876/12.5 4x15 27 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 64 ~15 3.75/15 4x15 27 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 128 ~15 7.5/15 8x30 27 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 256 15 15/15 8x30 27 10000/10000/40000/40000 - enclaves
12xlarge 48 48 384 22.5 22.5/22.5 8x30 27 15000/15000/60000/60000 - enclaves
16xlarge 64 64 512 30 30/30 15x50 27 20000/20000/80000/80000 - enclaves efa
r7i: Intel 3.2 x86_64 ena=required nvme=required ebs=default current nitro auto-recovery tpm transit-encryption reboot-migration ipv6 bios uefi cluster spot own-attachments
large 2 1 16 ~12.5 0.781/12.5 3x10 32 650/10000/3600/40000 - hibernation dedicated-hosts
xlarge 4 2 32 ~12.5 1.562/12.5 4x15 32 1250/10000/6000/40000 - hibernation dedicated-hosts enclaves
2xlarge 8 4 64 ~12.5 3.125/12.5 4x15 32 2500/10000/12000/40000 - hibernation dedicated-hosts enclaves
4xlarge 16 8 128 ~12.5 6.25/12.5 8x30 32 5000/10000/20000/40000 - hibernation dedicated-hosts enclaves
8xlarge 32 16 256 12.5 12.5/12.5 8x30 32 10000/10000/40000/40000 - dedicated-hosts enclaves
12xlarge 48 24 384 18.75 18.75/18.75 8x30 32 15000/15000/60000/60000 - dedicated-hosts enclaves
16xlarge 64 32 512 25 25/25 15x50 48 20000/20000/80000/80000 - dedicated-hosts enclaves
24xlarge 96 48 768 37.5 37.5/37.5 15x50 64 30000/30000/120000/120000 - enclaves
48xlarge 192 96 1536 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa
r8g: AWS 2.8 arm64 ena=required nvme=required ebs=default current nitro dedicated-hosts auto-recovery tpm transit-encryption reboot-migration ipv6 uefi cluster spot own-attachments
medium 1 1 8 ~12.5 0.52/12.5 2x4 32 315/10000/2500/40000 - hibernation
large 2 2 16 ~12.5 0.937/12.5 3x10 32 630/10000/3600/40000 - hibernation enclaves
xlarge 4 4 32 ~12.5 1.875/12.5 4x15 32 1250/10000/6000/40000 - hibernation enclaves
2xlarge 8 8 64 ~15 3.75/15 4x15 32 2500/10000/12000/40000 - hibernation enclaves
4xlarge 16 16 128 ~15 7.5/15 8x30 32 5000/10000/20000/40000 - hibernation enclaves
8xlarge 32 32 256 15 15/15 8x30 32 10000/10000/40000/40000 - enclaves
12xlarge 48 48 384 22.5 22.5/22.5 8x30 32 15000/15000/60000/60000 - enclaves
16xlarge 64 64 512 30 30/30 15x50 48 20000/20000/80000/80000 - enclaves
24xlarge 96 96 768 40 40/40 15x50 64 30000/30000/120000/120000 - enclaves efa
48xlarge 192 192 1536 50 50/50 15x50 128 40000/40000/240000/240000 - enclaves efa ghz=2.7
i3: Intel 2.3 x86_64 ena=supported nvme=supported ebs=default current dedicated-hosts ipv6 bios cluster spot
large 2 1 15.25 ~10 0.75/10 3x10 40 425/425/3000/3000 1x475ssd hibernation
xlarge 4 2 30.5 ~10 1.25/10 4x15 40 850/850/6000/6000 1x950ssd hibernation
2xlarge 8 4 61 ~10 2.5/10 4x15 40 1700/1700/12000/12000 1x1900ssd hibernation
4xlarge 16 8 122 ~10 5/10 8x30 40 3500/3500/16000/16000 2x1900ssd hibernation
8xlarge 32 16 244 10 12/12 8x30 40 7000/7000/32500/32500 4x1900ssd
16xlarge 64 32 488 25 25/25 15x50 40 14000/14000/65000/65000 8x1900ssd
i3en: Intel 3.1 x86_64 ena=required nvme=required ebs=default current nitro dedicated-hosts tpm transit-encryption ipv6 bios uefi cluster spot
large 2 1 16 ~25 2.1/25 3x10 26 576/4750/3000/20000 1x1250ssd hibernation
xlarge 4 2 32 ~25 4.2/25 4x15 26 1153/4750/6000/20000 1x2500ssd hibernation enclaves
2xlarge 8 4 64 ~25 8.4/25 4x15 25 2307/4750/12000/20000 2x2500ssd hibernation enclaves
3xlarge 12 6 96 ~25 12.5/25 4x15 26 3800/4750/15000/20000 1x7500ssd hibernation enclaves
6xlarge 24 12 192 25 25/25 8x30 25 4750/4750/20000/20000 2x7500ssd enclaves
12xlarge 48 24 384 50 50/50 8x30 23 9500/9500/40000/40000 4x7500ssd enclaves efa
24xlarge 96 48 768 100 100/100 15x50 19 19000/19000/80000/80000 8x7500ssd enclaves efa
i4i: Intel 3.5 x86_64 ena=required nvme=required ebs=default current nitro tpm transit-encryption ipv6 bios uefi cluster spot
large 2 1 16 ~10 0.781/10 3x10 26 625/10000/2500/40000 1x468ssd dedicated-hosts
xlarge 4 2 32 ~10 1.875/10 4x15 26 1250/10000/5000/40000 1x937ssd dedicated-hosts enclaves
2xlarge 8 4 64 ~12 4.687/12 4x15 26 2500/10000/10000/40000 1x1875ssd dedicated-hosts enclaves
4xlarge 16 8 128 ~25 9.375/25 8x30 26 5000/10000/20000/40000 1x3750ssd dedicated-hosts enclaves
8xlarge 32 16 256 18.75 18.75/18.75 8x30 25 10000/10000/40000/40000 2x3750ssd dedicated-hosts enclaves
12xlarge 48 24 384 28.12 28.125/28.125 8x30 24 15000/15000/60000/60000 3x3750ssd enclaves
16xlarge 64 32 512 37.5 37.5/37.5 15x50 23 20000/20000/80000/80000 4x3750ssd dedicated-hosts enclaves
24xlarge 96 48 768 56.25 56.25/56.25 15x30 21 30000/30000/120000/120000 6x3750ssd enclaves
32xlarge 128 64 1024 75 75/75 15x50 19 40000/40000/160000/160000 8x3750ssd dedicated-hosts enclaves efa
"""
