"""Set-ups of the twenty-sixth round (vision), ordinary right ones, written without knowing the checks.

1 small ResNet of photos; 2 frozen backbone, new head; 3 cats or dogs, one logit; 4 small ViT; 5 findings of chest
X-rays, several at once; 6 skin lesions, weighted classes; 7 satellite tiles of 13 bands; 8 U-Net with BCE and Dice;
9 street scenes with an unlabelled class; 10 organs in CT volumes; 11 grid detector (YOLO); 12 anchors and focal loss
(RetinaNet); 13 heat maps of body joints; 14 facial landmarks as coordinates; 15 denoising (DnCNN); 16 super-resolution;
17 person re-identification; 18 SimCLR; 19 video clips; 20 depth with missing pixels.
"""
