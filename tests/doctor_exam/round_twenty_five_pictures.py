"""Set-ups of the twenty-fifth round (pictures), ordinary right ones, written without knowing the checks.

Classification: digits, CIFAR-10, a residual network, a vision transformer, cats and dogs with one logit, rare skin
lesions with class weights, mixup. Fine-tuning: a frozen backbone, a whole network. Several labels: objects of a scene,
chest X-rays, two heads for clothes, ages. Segmentation: U-Net, streets with void pixels, DeepLab with an auxiliary
head, organs with the Dice loss. Detection: one object, a YOLO grid, anchors with the focal loss, centre points. Key
points: face landmarks, pose heat maps. Restoration: denoising, super-resolution, inpainting. Volumes: segmentation,
nodules. Video: factorised 3D convolutions, frames through an LSTM.
"""
